/**
 * What can be said about a config.yaml. The codes are stable: scripts may rely on them. `docs/config-yaml.md` has the
 * same tables.
 */

/** The config cannot be used; of what was read before nothing changes. */
export const ERRORS = {
  InvalidEncoding: 'The file is neither UTF-8 nor UTF-16 with a byte order mark.',
  InvalidCharacter: 'A control character, or half of a surrogate pair, that YAML does not allow.',
  TooLarge: 'The file is larger than 10 MiB, or holds more than 500,000 values.',
  TooDeep: 'Lists and mappings are nested so deeply that PyYAML gives up.',
  TooManyAliases: "Aliases or merge keys stand for so much that the file can't be meant ('billion laughs').",
  InvalidYaml: 'PyYAML cannot parse the file.',
  InvalidValue:
    'PyYAML can parse the file and cannot make data of it: an unknown tag, a date that does not exist, a list as a key.',
  SeveralDocuments: 'The file holds more than one YAML document.',
  NotAMapping: 'The file is a list or a single value.',
  SecretsNotAMapping: '`secrets` is a list or a single value.',
  NameNotString: 'The name of a secret is not text for YAML 1.1: `on`, `1`, `null`, a date...',
} as const;

/** The config can be used; something in it is probably not as meant. */
export const WARNINGS = {
  EmptyConfig: 'The file holds nothing.',
  EmptySecrets: '`secrets:` has no value, or an empty one that is no mapping.',
  UnexpectedShape: 'A field that names secrets is not of the kind that Truss expects, and is ignored.',
  DuplicateKey: 'A key stands twice in one mapping; the last one counts.',
  MergeKey: "`<<` is used: a model server reads it, Truss's own commands refuse the file.",
  InvalidName: 'The name of a secret is no key of a Kubernetes Secret; it is never delivered.',
  PathTraversal: 'The name of a secret, or the path of a build secret, leads out of its folder.',
  PrefixedName:
    'The name of a secret starts with `TRUSS_SECRET_`, which Truss adds itself; it is never delivered.',
  JfrogName: "The name of a secret breaks JFrog ML's rule (only when asked for).",
  NotCIdentifier: 'As an environment variable the name would be dropped by some shells (dash).',
  NameCollision: 'Two names differ only in case, or in what is no letter or digit.',
  DefaultNotString: 'A default is not text or null; Truss of today refuses the file.',
  PlaceholderDefault: 'A default looks like a placeholder; a model would take it for the secret.',
  CredentialDefault: 'A default looks like a credential.',
  PlainCredential: 'A value that looks like a credential stands in an environment variable or a URL.',
  PlainSecret: 'An environment variable `TRUSS_SECRET_...` sets a secret in plain text.',
  UndeclaredSecret: 'A secret is used that is not declared under `secrets`.',
  IncompleteAuth: 'An authentication lacks a field that its method needs.',
  AmbiguousAuth: 'An authentication names a secret in two places, or one that its method does not use.',
  UnknownAuthMethod: 'An authentication method that Truss does not have.',
  Unsupported: 'An authentication method whose secrets truss-secrets does not deliver.',
  NothingToDo: 'An authentication method that needs no secret.',
  TooManyWarnings: 'There are more warnings than are shown.',
} as const;

export type ErrorCode = keyof typeof ERRORS;
export type WarningCode = keyof typeof WARNINGS;
