const YAML_TAG = 'tag:yaml.org,2002:';

/** The tags that PyYAML's safe loader knows. */
export const TAG = {
  null: `${YAML_TAG}null`,
  bool: `${YAML_TAG}bool`,
  int: `${YAML_TAG}int`,
  float: `${YAML_TAG}float`,
  binary: `${YAML_TAG}binary`,
  timestamp: `${YAML_TAG}timestamp`,
  omap: `${YAML_TAG}omap`,
  pairs: `${YAML_TAG}pairs`,
  set: `${YAML_TAG}set`,
  str: `${YAML_TAG}str`,
  seq: `${YAML_TAG}seq`,
  map: `${YAML_TAG}map`,
  /** `<<` */
  merge: `${YAML_TAG}merge`,
  /** `=` */
  value: `${YAML_TAG}value`,
  /** `!`, `&` and `*` alone */
  yaml: `${YAML_TAG}yaml`,
} as const;

// PyYAML's implicit resolvers. Python's `$` also matches before a line break at the end, which `! "yes\n"` reaches.
const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)\n?$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\n?$/;
const INT =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)\n?$/;
const NULL = /^(?:~|null|Null|NULL)\n?$/;
const TIMESTAMP =
  /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?)\n?$/;

/** The tag of an unquoted scalar without one, found from its text. */
export function resolveScalar(value: string): string {
  switch (value.charAt(0)) {
    case '':
      return TAG.null;
    case '~':
      return NULL.test(value) ? TAG.null : TAG.str;
    case '<':
      return value === '<<' || value === '<<\n' ? TAG.merge : TAG.str;
    case '=':
      return value === '=' || value === '=\n' ? TAG.value : TAG.str;
    case '!':
    case '&':
    case '*':
      return /^.\n?$/.test(value) ? TAG.yaml : TAG.str;
    case 'n':
    case 'N':
      if (NULL.test(value)) return TAG.null;
      return BOOL.test(value) ? TAG.bool : TAG.str;
    case 'y':
    case 'Y':
    case 't':
    case 'T':
    case 'f':
    case 'F':
    case 'o':
    case 'O':
      return BOOL.test(value) ? TAG.bool : TAG.str;
    case '-':
    case '+':
    case '.':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      return resolveNumber(value);
    default:
      return TAG.str;
  }
}

function resolveNumber(value: string): string {
  if (FLOAT.test(value)) return TAG.float;
  if (INT.test(value)) return TAG.int;
  return TIMESTAMP.test(value) ? TAG.timestamp : TAG.str;
}
