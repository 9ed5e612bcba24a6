#!/usr/bin/python3
"""A notification server and a tray watcher for tests, on the session bus.

Prints JSON lines on stdout: ready, notify, close, tray, tray-state, clicked, error.
Takes lines on stdin:
  action ID KEY     emits ActionInvoked, as anybody on the bus could
  close ID REASON   emits NotificationClosed
  tray              prints the newest tray item with its menu
  click LABEL       clicks the entry of its menu with this label
  quit              ends; so does the end of stdin
"""
import json
import os
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NOTIFY = "org.freedesktop.Notifications"
WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
V = GLib.Variant


def method(name, takes="", gives=""):
    args = [f'<arg type="{t}" direction="{d}"/>' for d, types in (("in", takes), ("out", gives)) for t in types.split()]
    return f'<method name="{name}">{"".join(args)}</method>'


def readable(name, kind):
    return f'<property name="{name}" type="{kind}" access="read"/>'


XML = f"""<node>
<interface name="{NOTIFY}">
  {method("Notify", "s u s s s as a{sv} i", "u")}
  {method("CloseNotification", "u")}
  {method("GetCapabilities", "", "as")}
  {method("GetServerInformation", "", "s s s s")}
</interface>
<interface name="{WATCHER}">
  {method("RegisterStatusNotifierItem", "s")}
  {method("RegisterStatusNotifierHost", "s")}
  {readable("RegisteredStatusNotifierItems", "as")}
  {readable("IsStatusNotifierHostRegistered", "b")}
  {readable("ProtocolVersion", "i")}
</interface>
</node>"""


class Double:
    def __init__(self):
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.loop = GLib.MainLoop()
        self.items = []
        self.last = 0
        self.rest = b""
        # With this word there is no tray.
        tray = "--no-tray" not in sys.argv
        faces = Gio.DBusNodeInfo.new_for_xml(XML).interfaces
        for name, path, face in zip((NOTIFY, WATCHER), ("/org/freedesktop/Notifications", "/StatusNotifierWatcher"), faces):
            if name == WATCHER and not tray:
                continue
            self.bus.register_object(path, face, self.called, self.read, None)
            Gio.bus_own_name_on_connection(self.bus, name, Gio.BusNameOwnerFlags.NONE, None, None)

    def run(self):
        say(event="ready")
        GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, self.heard)
        self.loop.run()

    def called(self, _connection, sender, _path, _face, name, args, invocation):
        args, answer = args.unpack(), None
        if name == "Notify":
            app, replaces, _icon, summary, body, actions, hints, timeout = args
            if not replaces:
                self.last += 1
            number = replaces or self.last
            say(event="notify", id=number, app=app, summary=summary, body=body, actions=actions, hints=sorted(hints), timeout=timeout)
            answer = V("(u)", (number,))
        elif name == "CloseNotification":
            say(event="close", id=args[0])
            self.emit("NotificationClosed", V("(uu)", (args[0], 3)))
        elif name == "GetCapabilities":
            answer = V("(as)", (["actions", "body", "persistence"],))
        elif name == "GetServerInformation":
            answer = V("(ssss)", ("double", "test", "1", "1.2"))
        elif name == "RegisterStatusNotifierItem":
            self.items.append((sender, args[0]) if args[0].startswith("/") else (args[0], "/StatusNotifierItem"))
            say(event="tray", item=self.items[-1])
        invocation.return_value(answer)

    def read(self, _connection, _sender, _path, _face, name):
        return {
            "RegisteredStatusNotifierItems": V("as", [bus + path for bus, path in self.items]),
            "IsStatusNotifierHostRegistered": V("b", True),
            "ProtocolVersion": V("i", 0),
        }[name]

    def emit(self, signal, values):
        self.bus.emit_signal(None, "/org/freedesktop/Notifications", NOTIFY, signal, values)

    def ask(self, bus, path, face, name, values):
        return self.bus.call_sync(bus, path, face, name, values, None, Gio.DBusCallFlags.NONE, 5000, None).unpack()

    def tray(self):
        if not self.items:
            raise LookupError("no tray item is registered")
        bus, path = self.items[-1]
        state = self.ask(bus, path, "org.freedesktop.DBus.Properties", "GetAll", V("(s)", (ITEM,)))[0]
        layout = self.ask(bus, state["Menu"], MENU, "GetLayout", V("(iias)", (0, -1, ["label", "enabled", "type"])))
        return bus, state, [(entry[0], entry[1]) for entry in layout[1][2]]

    def click(self, label):
        bus, state, menu = self.tray()
        number = next((n for n, facts in menu if facts.get("label", "").replace("_", "") == label), None)
        if number is None:
            raise LookupError(f"the menu has no entry {label!r}")
        self.ask(bus, state["Menu"], MENU, "Event", V("(isvu)", (number, "clicked", V("i", 0), 0)))
        say(event="clicked", label=label)

    def obey(self, words):
        verb, rest = words[0], words[1:]
        if verb == "action":
            self.emit("ActionInvoked", V("(us)", (int(rest[0]), rest[1])))
        elif verb == "close":
            self.emit("NotificationClosed", V("(uu)", (int(rest[0]), int(rest[1]))))
        elif verb == "tray":
            _bus, state, menu = self.tray()
            entries = [{"label": f.get("label", ""), "enabled": f.get("enabled", True), "type": f.get("type", "standard")} for _n, f in menu]
            say(event="tray-state", status=state["Status"], icon=state["IconName"], label=state.get("XAyatanaLabel"), menu=entries)
        elif verb == "click":
            self.click(" ".join(rest))
        else:
            raise LookupError(f"unknown word {verb!r}")

    def heard(self, source, _condition):
        # Not sys.stdin.readline: lines that arrive together would wait in its buffer for the next one.
        read = os.read(source, 65536)
        *lines, self.rest = (self.rest + read).split(b"\n")
        for line in lines:
            words = line.decode().split()
            if words == ["quit"]:
                read = b""
            elif words:
                self.obey_or_say(words)
        if not read:
            self.loop.quit()
        return bool(read)

    def obey_or_say(self, words):
        try:
            self.obey(words)
        except (GLib.Error, LookupError, ValueError) as error:
            say(event="error", command=" ".join(words), error=str(error))


def say(**facts):
    print(json.dumps(facts, ensure_ascii=False), flush=True)


Double().run()
