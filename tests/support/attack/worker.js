// The attacker's service worker: fetches what it is told to and answers with the status it could read, or 0.

onmessage = ({ data, ports: [port] }) => {
  fetch(data).then((answer) => port.postMessage(answer.status), () => port.postMessage(0));
};
