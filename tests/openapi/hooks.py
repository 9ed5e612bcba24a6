"""What keeps the tester on this machine: every address it makes up that the service would ask leads to the seller of the test.

The tester's own choice among the seller's pages stays: it depends on the address it made up. SELLER is the seller's address.
"""

import os
import zlib

import schemathesis

PAGES = ["free", "no-receipt", "false-receipt", "server-error", "always-402", "price-75", "year", "lookalike-token", "not-base64"]


@schemathesis.hook
def before_call(_context, case, _kwargs):
    if not isinstance(case.body, dict) or not isinstance(case.body.get("url"), str):
        return
    url = case.body["url"]
    # As the service reads it: white space at the ends and tabs and line ends anywhere do not count.
    if "".join(c for c in url if c > " ").lower().startswith("http"):
        page = PAGES[zlib.crc32(url.encode("utf-8", "surrogatepass")) % len(PAGES)]
        case.body["url"] = f"{os.environ['SELLER']}/{page}"
