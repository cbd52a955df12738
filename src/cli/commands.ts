import type { Command } from './command.ts';

/** One line of `--help`; the command itself is loaded only when it is called, as some are heavy. */
interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'controller',
    summary: 'run the operator',
    load: async () => (await import('./controller.ts')).controller,
  },
  {
    name: 'inspect',
    summary: 'show what a config.yaml declares, with positions and lints',
    load: async () => (await import('./inspect.ts')).inspect,
  },
  {
    name: 'plan',
    summary: 'show what the operator would do for a model, as a diff',
    load: async () => (await import('./plan.ts')).plan,
  },
  {
    name: 'explain',
    summary: 'say why a secret of a model is there or is not, step by step',
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'verify',
    summary: 'prove from the live objects that a model has what it may have, and nothing more',
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    name: 'trust',
    summary: 'give a model the secrets that it asks for, after showing them',
    load: async () => (await import('./trust.ts')).trust,
  },
  {
    name: 'untrust',
    summary: 'take the secrets of a model back',
    load: async () => (await import('./untrust.ts')).untrust,
  },
  {
    name: 'set',
    summary: 'set a secret of the store',
    load: async () => (await import('./set.ts')).set,
  },
  {
    name: 'get',
    summary: 'show one secret of the store, or with --reveal its value',
    load: async () => (await import('./get.ts')).get,
  },
  {
    name: 'list',
    summary: 'list the secrets of the store and which models use them',
    load: async () => (await import('./list.ts')).list,
  },
  {
    name: 'delete',
    summary: 'delete a secret of the store that no model uses',
    load: async () => (await import('./delete.ts')).deleteSecret,
  },
  {
    name: 'import',
    summary: "bring local secrets (Truss's ~/.truss/config.yaml) into the store",
    load: async () => (await import('./import.ts')).importSecrets,
  },
  {
    name: 'run',
    summary: 'run a program with the secrets that a config.yaml declares; needs no cluster',
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'demo',
    summary: "show it all at work, with the Truss documentation's example",
    load: async () => (await import('./demo.ts')).demo,
  },
];
