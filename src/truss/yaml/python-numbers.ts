/**
 * What Python's `int()` and `float()` take: PyYAML gives them whatever stands behind `!!int` and `!!float`. (But for
 * the digits of other scripts, which Python takes too.)
 */

/** CPython refuses longer decimal numbers (sys.set_int_max_str_digits). */
const MAX_DIGITS = 4300;

const INTEGERS: Readonly<Record<2 | 8 | 10 | 16, RegExp>> = {
  2: /^\s*[-+]?(?:0[bB])?([01]+)\s*$/,
  8: /^\s*[-+]?(?:0[oO])?([0-7]+)\s*$/,
  10: /^\s*[-+]?([0-9]+)\s*$/,
  16: /^\s*[-+]?(?:0[xX])?([0-9a-fA-F]+)\s*$/,
};
const FLOAT = /^\s*[-+]?((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|inf(?:inity)?|nan)\s*$/;

/** Whether `int(text, base)` is zero; undefined where it raises. The text has no `_`. */
export function intIsZero(text: string, base: 2 | 8 | 10 | 16): boolean | undefined {
  const digits = INTEGERS[base].exec(text)?.[1];
  if (digits === undefined || (base === 10 && digits.length > MAX_DIGITS)) return undefined;
  return /^0*$/.test(digits);
}

/** Whether `float(text)` is zero; undefined where it raises. The text is in lower case and has no `_`. */
export function floatIsZero(text: string): boolean | undefined {
  const number = FLOAT.exec(text)?.[1];
  // Number() has no 'inf' or 'nan', but gives NaN, which is not zero either.
  return number === undefined ? undefined : Number(number) === 0;
}
