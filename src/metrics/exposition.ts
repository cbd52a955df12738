import type { Family, Sample } from './family.ts';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Prometheus' text format, version 0.0.4; see
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function exposition(families: Iterable<Family>): string {
  let text = '';
  for (const family of families) {
    text += `# HELP ${family.name} ${family.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`;
    text += `# TYPE ${family.name} ${family.type}\n`;
    for (const sample of family.samples()) text += line(family.name, sample);
  }
  return text;
}

function line(name: string, { suffix = '', labels, value }: Sample): string {
  const inBraces = labels.map(([label, text]) => `${label}="${escaped(text)}"`).join(',');
  return `${name}${suffix}${inBraces === '' ? '' : `{${inBraces}}`} ${number(value)}\n`;
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
