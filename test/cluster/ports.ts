import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports that nobody listens on at this moment. */
export async function freePorts(count: number, host: string): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, host);
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
    return address.port;
  });
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  return ports;
}
