/**
 * forward.ts LISTEN=CONNECT...: passes connections on; both sides are `tcp:HOST:PORT` or `unix:PATH`.
 *
 * Sockets with a path cross network namespaces: this joins the node's to the machine's.
 */
import {
  type ListenOptions,
  type TcpNetConnectOpts,
  type IpcNetConnectOpts,
  connect,
  createServer,
} from 'node:net';

type Side = (TcpNetConnectOpts | IpcNetConnectOpts) & ListenOptions;

function sideOf(text: string): Side {
  const [kind, ...rest] = text.split(':');
  const [host = '', port] = rest;
  return kind === 'unix' ? { path: rest.join(':') } : { host, port: Number(port) };
}

for (const argument of process.argv.slice(2)) {
  const [listen = '', target = ''] = argument.split('=');
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({ ...sideOf(target), allowHalfOpen: true });
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  server.listen(sideOf(listen));
}
