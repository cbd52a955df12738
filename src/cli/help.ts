import type { CommandHelp } from './command.ts';
import { commands } from './commands.ts';
import { globalOptions, type Options } from './options.ts';

const PURPOSE = 'Brings the secrets that a Truss model declares onto its pods, on plain Kubernetes.';

const pad = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}\n`).join('');
};

const optionRows = (options: Options): (readonly [string, string])[] =>
  Object.entries(options).map(([name, { short, value, help }]) => {
    const flag = `${short === undefined ? '    ' : `-${short}, `}--${name}`;
    return [value === undefined ? flag : `${flag} ${value}`, help];
  });

const called = (program: string, line: string): string => line.replace(/^truss-secrets\b/, program);

export const usageLine = (program: string, usage: string): string => `Usage: ${program} ${usage}\n`;

export const generalUsage = (program: string): string => usageLine(program, 'COMMAND [OPTIONS]');

export function generalHelp(program: string): string {
  return [
    `${PURPOSE}\n`,
    generalUsage(program),
    `Commands:\n${pad(commands.map(({ name, summary }) => [name, summary]))}`,
    `Options:\n${pad([...optionRows(globalOptions), ['    --version', 'show the version']])}`,
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 differences found (plan --exit-code).\n',
    `${program} COMMAND --help shows the options and examples of a command.\n`,
  ].join('\n');
}

export function commandHelp(program: string, help: CommandHelp): string {
  const examples = help.examples.map(({ does, line }) => `  # ${does}\n  ${called(program, line)}\n`);
  return [
    usageLine(program, help.usage),
    ...help.description.map((paragraph) => `${paragraph}\n`),
    `Options:\n${pad(optionRows({ ...help.options, ...globalOptions }))}`,
    `Examples:\n${examples.join('\n')}`,
  ].join('\n');
}
