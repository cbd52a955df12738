import { nameProblem, jfrogProblem } from '../truss/names.ts';
import { CommandError, UsageError } from './errors.ts';
import type { Io } from './io.ts';
import { choice, type Options } from './options.ts';

export const nameOption = {
  name: { type: 'string', value: 'NAME', help: 'name of the secret; may also be given as the argument' },
} as const satisfies Options;

export const namePolicyOption = {
  'name-policy': {
    type: 'string',
    value: 'truss|jfrog',
    help: 'rules for names; default $TRUSS_SECRETS_NAME_POLICY, else truss',
  },
} as const satisfies Options;

/** The name, from `--name` or the argument. */
export function givenName(option: string | undefined, positionals: readonly string[]): string {
  const [argument] = positionals;
  if (option !== undefined && argument !== undefined && option !== argument) {
    throw new UsageError(`two names: ${JSON.stringify(argument)} and --name ${JSON.stringify(option)}`);
  }
  const name = option ?? argument;
  if (name === undefined || name === '') throw new UsageError('no name given: NAME or --name NAME');
  return name;
}

/** Whose rules for names hold: what `--name-policy` says, else the environment. @throws UsageError */
export const namePolicy = (io: Io, policy: string | undefined): 'truss' | 'jfrog' =>
  choice('--name-policy', policy, ['truss', 'jfrog']) ??
  choice('TRUSS_SECRETS_NAME_POLICY', io.env['TRUSS_SECRETS_NAME_POLICY'] || undefined, ['truss', 'jfrog']) ??
  'truss';

/** What keeps a name from being a secret's, by Truss's rules and, where the organisation wants it, JFrog's. */
export function policyProblem(io: Io, policy: string | undefined): (name: string) => string | undefined {
  const chosen = namePolicy(io, policy);
  return (name) => (nameProblem(name) ?? (chosen === 'jfrog' ? jfrogProblem(name) : undefined))?.message;
}

/** @throws CommandError when the name can't be a secret's. */
export function checkName(io: Io, policy: string | undefined, name: string): void {
  const problem = policyProblem(io, policy)(name);
  if (problem !== undefined) throw new CommandError(problem);
}
