import { readBuild } from './build-field.ts';
import { findUnreadable } from './decode.ts';
import { type ConfigError, type ConfigWarning, type Diagnostic, diagnostic } from './diagnostic.ts';
import { readDockerAuth } from './docker-auth-field.ts';
import { lintCommands, lintEnvironment, lintExternalData } from './lints.ts';
import { readOptional } from './optional-fields.ts';
import { Reading } from './reading.ts';
import { readSecrets } from './secrets-field.ts';
import { readWeights } from './weights-field.ts';
import { compose, type Node } from './yaml/composer.ts';
import { findConstructorError } from './yaml/constructor.ts';
import { newMergeBudget } from './yaml/merge.ts';

interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in code points. */
  readonly column: number;
}

/** A key under `secrets:`. */
export interface DeclaredName extends Place {
  readonly name: string;
  /** `none`: null, or what Python holds for false, or `***`. The default itself is never kept. */
  readonly default: 'none' | 'present';
}

/** An entry of `build.secret_to_path_mapping`. */
export interface BuildSecret extends Place {
  readonly name: string;
  readonly path: string;
}

/** What it takes to pull an image: a `DOCKER_REGISTRY_...` key, or `base_image.docker_auth`. */
export interface PullCredential extends Place {
  readonly registry: string;
  /** Truss's `auth_method`, in capitals, or `DOCKER_REGISTRY`. */
  readonly method: string;
  readonly names: readonly string[];
}

/** A field that names a secret: `weights[0].auth_secret_name`. */
export interface SecretReference extends Place {
  readonly name: string;
  readonly field: string;
}

/** Everything that a config.yaml says about secrets, in the order of the file. */
export interface TrussConfig {
  readonly secrets: readonly DeclaredName[];
  readonly build: readonly BuildSecret[];
  readonly pull: readonly PullCredential[];
  readonly weights: readonly SecretReference[];
  readonly optional: readonly SecretReference[];
  readonly warnings: readonly ConfigWarning[];
  /** With any of them the config is unusable; the lists hold what could be read. */
  readonly errors: readonly ConfigError[];
}

/**
 * Reads a config.yaml as PyYAML's safe loader, and so Truss, would. Total: whatever is wrong with the text is in
 * `errors`, and the time and memory that it takes are bounded by its size. `naming: 'jfrog'` adds warnings for names
 * that JFrog ML would not take.
 */
export function readTrussConfig(text: string, options: { readonly naming?: 'jfrog' } = {}): TrussConfig {
  const unreadable = findUnreadable(text);
  if (unreadable !== undefined) return { ...NOTHING, errors: [unreadable] };
  const { root, error } = compose(text);
  const budget = newMergeBudget();
  const reading = new Reading(budget, options.naming);
  const invalid = error ?? (root === undefined ? undefined : findConstructorError(root, budget));
  if (invalid !== undefined) reading.fail(diagnostic(invalid.code, invalid.message, invalid.mark));
  if (budget.first !== undefined) {
    reading.warn('MergeKey', `Truss's own commands refuse '<<': write the entries out`, {
      mark: budget.first,
    });
  }
  const lists =
    root === undefined || isNull(reading, root)
      ? empty(reading)
      : readRoot(reading, root, error !== undefined);
  return {
    ...lists,
    warnings: reading.warnings.toSorted(byPlace),
    errors: reading.errors.toSorted(byPlace),
  };
}

type Lists = Omit<TrussConfig, 'warnings' | 'errors'>;

const NOTHING: TrussConfig = {
  secrets: [],
  build: [],
  pull: [],
  weights: [],
  optional: [],
  warnings: [],
  errors: [],
};

const isNull = (reading: Reading, node: Node): boolean => reading.scalar(node)?.kind === 'null';

function empty(reading: Reading): Lists {
  if (reading.errors.length === 0) {
    reading.warn('EmptyConfig', 'the file holds nothing: is it the right one?', {
      mark: { line: 0, column: 0 },
    });
  }
  return NOTHING;
}

function readRoot(reading: Reading, root: Node, truncated: boolean): Lists {
  if (reading.mapping(root) === undefined) {
    const message = `a config.yaml is a mapping ('name: value' on each line), and this is a ${root.kind}`;
    if (reading.errors.length === 0) reading.fail(diagnostic('NotAMapping', message, root.mark));
    return NOTHING;
  }
  const declared = readSecrets(reading, root);
  const lists = {
    secrets: declared.secrets.toSorted(byPlace),
    build: readBuild(reading, root).toSorted(byPlace),
    pull: [...declared.pull, ...readDockerAuth(reading, root)].toSorted(byPlace),
    weights: readWeights(reading, root).toSorted(byPlace),
    optional: readOptional(reading, root).toSorted(byPlace),
  };
  // Of half a file it can't be said what it does not declare.
  if (!truncated) {
    lintEnvironment(reading, root, lists);
    lintCommands(reading, root, lists);
    lintExternalData(reading, root);
  }
  return lists;
}

const byPlace = (a: Place | Diagnostic, b: Place | Diagnostic): number =>
  a.line - b.line || a.column - b.column;
