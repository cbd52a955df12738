import { WebSocket } from 'undici';
import { z } from 'zod';
import { type Access, dispatcherOf } from './api.ts';

export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const Status = z.looseObject({
  status: z.string(),
  message: z.string().optional(),
  details: z
    .looseObject({
      causes: z.array(z.object({ reason: z.string().optional(), message: z.string().optional() })).optional(),
    })
    .optional(),
});

/** First byte of each message of the protocol v4.channel.k8s.io. */
const [STDOUT, STDERR, STATUS] = [1, 2, 3];

/** Runs a command in a container, as `kubectl exec` does. A command that can't be run is an error, one that fails is not. */
export async function exec(
  access: Access,
  { namespace, pod, container }: ExecTarget,
  command: readonly string[],
): Promise<ExecResult> {
  const url = new URL(
    `/api/v1/namespaces/${namespace}/pods/${pod}/exec?stdout=true&stderr=true`,
    access.server,
  );
  url.protocol = 'wss:';
  for (const word of command) url.searchParams.append('command', word);
  if (container !== undefined) url.searchParams.append('container', container);
  const socket = new WebSocket(url, {
    protocols: ['v4.channel.k8s.io'],
    dispatcher: dispatcherOf(access),
    headers: access.token === undefined ? {} : { authorization: `Bearer ${access.token}` },
  });
  socket.binaryType = 'arraybuffer';
  const channels = new Map<number, Buffer[]>();
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('message', ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      const [channel = 0] = new Uint8Array(data, 0, 1);
      channels.set(channel, [...(channels.get(channel) ?? []), Buffer.from(data, 1)]);
    });
    socket.addEventListener('close', () => resolve());
    socket.addEventListener('error', ({ error }) =>
      reject(new Error(`exec in ${pod} failed`, { cause: error })),
    );
  });
  const text = (channel: number) => Buffer.concat(channels.get(channel) ?? []).toString();
  return { stdout: text(STDOUT), stderr: text(STDERR), exitCode: exitCodeOf(text(STATUS), pod) };
}

function exitCodeOf(text: string, pod: string): number {
  const { status, message, details } = Status.parse(JSON.parse(text));
  if (status === 'Success') return 0;
  const code = details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (code === undefined) throw new Error(`exec in ${pod} failed: ${message}`);
  return Number(code);
}
