import { shownName } from '../api/messages.ts';
import { ENV_PREFIX } from '../api/names.ts';

/** Kubernetes bounds the keys of a Secret so, Truss the names of secrets. */
const MAX_NAME = 253;
const SECRET_KEY = /^[-._a-zA-Z0-9]+$/;
const C_IDENTIFIER = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const USE = "use letters, digits, '-', '_' and '.' only";
const JFROG_NAME = /^[a-z][a-z0-9-]{1,34}[a-z0-9]$/;

/** `secrets.DOCKER_REGISTRY_<registry>` is the credential for pulling from that registry, and no Secret key. */
export const REGISTRY_PREFIX = 'DOCKER_REGISTRY_';

export interface NameProblem {
  readonly code: 'InvalidName' | 'PathTraversal' | 'PrefixedName' | 'JfrogName';
  /** For where the name stands already. */
  readonly why: string;
  /** The same with the name before it. */
  readonly message: string;
}

const problem = (code: NameProblem['code'], name: string, why: string): NameProblem => ({
  code,
  why,
  message: name === '' ? why : `${shownName(name)}: ${why}`,
});

/**
 * Whether the name can be a key in a Secret's data: Kubernetes' `IsConfigMapKey`, which is Truss's rule
 * (`Build.validate_secret_name`) without names that start with `..`.
 *
 * @see https://github.com/kubernetes/apimachinery/blob/master/pkg/util/validation/validation.go
 */
export const isSecretKey = (name: string): boolean =>
  name.length <= MAX_NAME && SECRET_KEY.test(name) && name !== '.' && !name.startsWith('..');

/** Why a declared name can never be delivered (state InvalidName), if so. */
export function nameProblem(name: string): NameProblem | undefined {
  if (name === '') return problem('InvalidName', name, 'the name is empty: give the secret a name');
  if (name.length > MAX_NAME) {
    const why = `the name has ${name.length} characters: ${MAX_NAME} are allowed`;
    return problem('InvalidName', name, why);
  }
  if (name.includes('/') || name === '.' || name.startsWith('..')) {
    const why = `Truss takes the name as a path below /secrets and could read another file: ${USE}`;
    return problem('PathTraversal', name, why);
  }
  if (!isSecretKey(name)) return problem('InvalidName', name, `no key of a Kubernetes Secret: ${USE}`);
  if (name.startsWith(ENV_PREFIX)) {
    const why = `Truss adds ${ENV_PREFIX} itself: name the secret ${shownName(name.slice(ENV_PREFIX.length))}`;
    return problem('PrefixedName', name, why);
  }
  return undefined;
}

/** Whether every shell keeps an environment variable of this name: dash drops others for the programs it starts. */
export const isCIdentifier = (name: string): boolean => C_IDENTIFIER.test(name);

/**
 * Names with the same result are one secret for Baseten, where "all non-alphanumeric characters are treated the
 * same", and near twins here.
 */
export const normalise = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-');

/** What is against the name by JFrog ML's rule (3 to 36 lower-case letters, digits and hyphens), if anything. */
export function jfrogProblem(name: string): NameProblem | undefined {
  if (JFROG_NAME.test(name)) return undefined;
  const why =
    'JFrog ML wants 3 to 36 lower-case letters, digits and hyphens, with a letter first and no hyphen last';
  return problem('JfrogName', name, why);
}
