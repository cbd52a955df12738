/** A place in the text; both count from 0, the column in code points. */
export interface Mark {
  readonly line: number;
  readonly column: number;
}

export type YamlErrorCode =
  | 'InvalidYaml'
  | 'InvalidValue'
  | 'SeveralDocuments'
  | 'TooDeep'
  | 'TooLarge'
  | 'TooManyAliases';

/** The text is not YAML that PyYAML's safe loader takes, or goes beyond a bound of ours. */
export class YamlError extends Error {
  readonly code: YamlErrorCode;
  readonly mark: Mark;

  constructor(code: YamlErrorCode, message: string, mark: Mark) {
    super(message);
    this.name = 'YamlError';
    this.code = code;
    this.mark = mark;
  }
}
