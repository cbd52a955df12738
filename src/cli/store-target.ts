import { STORE_LABEL } from '../api/names.ts';
import { CommandError, UsageError } from './errors.ts';
import type { Options } from './options.ts';
import type { StoreSecret } from './store-secret.ts';

export const storeOptions = {
  store: { type: 'string', value: 'STORE', help: 'store; default: default' },
  environment: {
    type: 'string',
    value: 'ENVIRONMENT',
    help: 'environment of the value; default: that of none',
  },
  secret: {
    type: 'string',
    value: 'OBJECT',
    help: 'the Secret that holds it; default: truss-store-STORE[-ENVIRONMENT]',
  },
} as const satisfies Options;

/** Where in a store something is to be written, found or deleted. */
export interface Target {
  readonly secret: string;
  readonly store: string;
  readonly environment: string | undefined;
  /** The user named the object, which may then be of any store and environment that the user did not name. */
  readonly named: boolean;
  readonly storeNamed: boolean;
}

const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** @throws UsageError for a name that Kubernetes does not take. */
export function targetOf(values: {
  readonly store?: string | undefined;
  readonly environment?: string | undefined;
  readonly secret?: string | undefined;
}): Target {
  const { environment, secret } = values;
  const store = values.store ?? 'default';
  for (const [option, value] of [
    ['--store', store],
    ['--environment', environment],
  ] as const) {
    if (value !== undefined && !(LABEL_VALUE.test(value) && value.length <= 63)) {
      throw new UsageError(
        `${option} ${JSON.stringify(value)} can't be a label: use up to 63 letters, digits, "-", "_" and ".", the first and last a letter or digit`,
      );
    }
  }
  const name = secret ?? ['truss-store', store, environment].filter((part) => part !== undefined).join('-');
  if (!(OBJECT_NAME.test(name) && name.length <= 253)) {
    throw new UsageError(
      secret === undefined
        ? `a Secret can't be named ${JSON.stringify(name)} (lower-case letters, digits, "-" and "." only): name it yourself with --secret`
        : `--secret ${JSON.stringify(secret)} is no name of an object: use lower-case letters, digits, "-" and "."`,
    );
  }
  return {
    secret: name,
    store,
    environment,
    named: secret !== undefined,
    storeNamed: values.store !== undefined,
  };
}

/**
 * Refuses a Secret that is not what the target describes. A Secret becomes part of a store by its label, by
 * which its owner consents: that is never added to one that exists.
 *
 * @returns what the user should know before it is changed.
 */
export function checkTarget(existing: StoreSecret, target: Target): readonly string[] {
  const object = `Secret ${existing.name} in namespace ${existing.namespace}`;
  if (existing.controller !== undefined) {
    throw new CommandError(
      `${object} belongs to ${existing.controller}, which would undo a change: change the value there, or name another object with --secret`,
    );
  }
  if (existing.immutable) {
    throw new CommandError(
      `${object} is immutable: delete it and create it anew, or name another object with --secret`,
    );
  }
  const label = `kubectl label secret ${existing.name} -n ${existing.namespace} ${STORE_LABEL}=${target.store}`;
  if (existing.store === undefined) {
    if (!target.named || target.storeNamed) {
      throw new CommandError(
        `${object} is no store: its label ${STORE_LABEL} is missing. If its owner agrees that models read it: ${label}`,
      );
    }
    return [`${object} is no store, so no model gets anything from it. To make it one: ${label}`];
  }
  if (existing.store !== target.store && !(target.named && !target.storeNamed)) {
    throw new CommandError(
      `${object} is of store ${existing.store}, not ${target.store}: name another object with --secret`,
    );
  }
  if (existing.environment !== target.environment && !(target.named && target.environment === undefined)) {
    throw new CommandError(
      `${object} is for ${environmentText(existing.environment)}, not for ${environmentText(target.environment)}: name another object with --secret`,
    );
  }
  return [];
}

const environmentText = (environment: string | undefined): string =>
  environment === undefined ? 'no environment' : `environment ${environment}`;
