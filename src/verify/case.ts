import { deliveredSecretName, pullSecretName } from '../api/names.ts';
import { type Allowed, allowedValue, type Approved, approvedBy, denial } from './allowed.ts';
import { type Declared, readDeclared } from './declared.ts';
import type { Evidence } from './evidence.ts';

/** Something that is not as it should be, or that nobody could look at. */
export interface Finding {
  readonly kind: 'difference' | 'unproven';
  /** `Secret gfpgan-truss-secrets` */
  readonly object: string;
  readonly message: string;
}

export const difference = (object: string, message: string): Finding => ({
  kind: 'difference',
  object,
  message,
});
export const unproven = (object: string, message: string): Finding => ({ kind: 'unproven', object, message });

/** What a declared name comes to. */
export interface Item {
  readonly name: string;
  readonly declared: Declared;
  readonly allowed: Allowed;
  /** Pods refer to it as a file or as an environment variable, whether it has a value or not. */
  readonly inPods: boolean;
}

/** What should be, as a proof works it out for itself. */
export interface Case {
  readonly evidence: Evidence;
  readonly approved: Approved | undefined;
  readonly items: ReadonlyMap<string, Item>;
  /** Registries that the model may pull from with its secrets. */
  readonly registries: ReadonlySet<string>;
  readonly secret: string;
  readonly pull: string;
}

/** Undefined, with the finding that says why: it is not known what is declared. */
export function openCase(evidence: Evidence, requireApproval: boolean): Case | Finding {
  const { model, spec, config } = evidence;
  const { name } = model.metadata;
  const object = `ModelDeployment ${name}`;
  if (!spec)
    return difference(
      object,
      'its spec breaks the rules of its kind, so that nobody can say what it asks for',
    );
  if (config === undefined)
    return unproven(object, 'there is no config.yaml that you may read: what is declared is not known');
  const reading = readDeclared(config);
  if (reading.kind === 'unreadable') {
    return unproven(object, `config.yaml can't be read (${reading.why}): what is declared is not known`);
  }
  const approved = approvedBy(evidence, requireApproval);
  const items = new Map<string, Item>();
  const registries = new Set<string>();
  for (const [declaredName, declared] of reading.names) {
    const isDenied = denial(declaredName, declared, evidence, approved) !== undefined;
    if (!isDenied && declared.registry !== undefined) registries.add(declared.registry);
    const allowed = allowedValue(declaredName, declared, evidence, approved);
    items.set(declaredName, { name: declaredName, declared, allowed, inPods: declared.runtime && !isDenied });
  }
  return {
    evidence,
    approved,
    items,
    registries,
    secret: deliveredSecretName(name),
    pull: pullSecretName(name),
  };
}

/** The names that pods refer to. */
export const namesInPods = ({ items }: Case): readonly string[] =>
  [...items.values()].filter(({ inPods }) => inPods).map(({ name }) => name);
