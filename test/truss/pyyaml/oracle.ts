import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { debianPackages, PackagesUnavailable, programEnvironment } from '../../cluster/debian.ts';

const Hello = z.object({ version: z.string(), python: z.string() });
const Verdict = z.object({
  error: z.string().optional(),
  message: z.string().optional(),
  at: z.tuple([z.number(), z.number()]).nullish(),
  nodes: z.array(z.unknown()).readonly().optional(),
  data: z.unknown().optional(),
});

/** What PyYAML's safe loader made of a document; see oracle.py. */
export type Verdict = z.output<typeof Verdict>;

const SCRIPT = fileURLToPath(new URL('oracle.py', import.meta.url));

/** A running Python with PyYAML, asked many documents one after the other. */
export interface Oracle {
  readonly version: string;
  ask(document: Uint8Array): Promise<Verdict>;
  stop(): Promise<void>;
}

/** Debian's PyYAML, else the machine's own; undefined where there is neither. */
export async function findOracle(): Promise<Oracle | undefined> {
  try {
    const folder = await debianPackages(['python3-yaml']);
    const oracle = await startOracle('python3', programEnvironment(folder));
    if (oracle !== undefined) return oracle;
  } catch (error) {
    if (!(error instanceof PackagesUnavailable)) throw error;
  }
  return startOracle('python3', process.env);
}

/** Starts the oracle on this interpreter; undefined when it does not run, or has no PyYAML. */
async function startOracle(python: string, env: NodeJS.ProcessEnv): Promise<Oracle | undefined> {
  const child = spawn(python, [SCRIPT], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = once(child, 'error').then(() => undefined);
  const hello = await Promise.race([lines.next(), failed]);
  if (hello === undefined || hello.done === true) return undefined;
  const { version } = Hello.parse(JSON.parse(hello.value));
  return {
    version,
    ask: async (document) => {
      child.stdin.write(`${JSON.stringify({ bytes: Buffer.from(document).toString('base64') })}\n`);
      const answer = await lines.next();
      if (answer.done === true) throw new Error('the oracle ended');
      return Verdict.parse(JSON.parse(answer.value));
    },
    stop: async () => {
      child.stdin.end();
      await ended(child);
    },
  };
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};
