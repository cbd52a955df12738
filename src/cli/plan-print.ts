import type { Io } from './io.ts';
import type { Change, ObjectRow, PlanReport, SecretRow, WorkloadRow } from './plan-report.ts';
import type { StatusRow } from './plan-status.ts';
import { printable, table } from './print.ts';
import { type Style, styled } from './style.ts';

const CHANGE_STYLE: Readonly<Record<Change, Style | undefined>> = {
  add: 'green',
  change: 'yellow',
  remove: 'red',
  keep: 'dim',
  none: undefined,
};

const OBJECT_ACTIONS: Readonly<Record<ObjectRow['action'], string>> = {
  none: 'no change',
  create: 'create',
  replace: 'update',
  patch: 'update',
  recreate: 'delete and create anew',
  delete: 'delete',
};

/** Prints a plan for people. */
export function printPlan(io: Io, report: PlanReport): void {
  const { namespace, model, objects, secrets, workloads, status, changes } = report;
  const out = (text: string): void => io.stdout.write(`${text}\n`);
  out(`ModelDeployment ${namespace}/${model}\n`);
  for (const row of objects) out(objectLine(row));
  if (secrets.length > 0) io.stdout.write(secretTable(io, secrets));
  for (const row of workloads) printWorkload(io, row);
  if (status.length > 0) {
    out('\nStatus');
    // of secrets and workloads it says what stands above
    const rows = status.filter(
      ({ about, name, from, to }) => from !== to && (about === 'condition' || name === 'summary'),
    );
    if (rows.length > 0) io.stdout.write(statusTable(io, rows));
    else out('Only details change: -o json shows them.');
  }
  out(changes ? '\nThe operator would make these changes.' : '\nNo changes.');
}

function objectLine({ name, action, keys, conflict }: ObjectRow): string {
  if (conflict !== null) return printable(`Secret ${name}: not written: ${conflict}`);
  const count = keys.length === 1 ? '1 key' : `${keys.length} keys`;
  return `Secret ${name}: ${OBJECT_ACTIONS[action]}${action === 'delete' ? '' : `, ${count}`}`;
}

/** `models/org, key hf_token`; the key only where it has another name. */
export const sourceText = ({ name, source }: Pick<SecretRow, 'name' | 'source'>): string =>
  source ? `${source.namespace}/${source.name}${source.key === name ? '' : `, key ${source.key}`}` : '';

function secretTable(io: Io, rows: readonly SecretRow[]): string {
  return table<SecretRow>(
    io.stdout,
    [
      {
        title: 'CHANGE',
        cell: ({ change }) => (change === 'none' ? '-' : change),
        style: ({ change }) => CHANGE_STYLE[change],
      },
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'STATE', cell: ({ state }) => state ?? 'not declared' },
      { title: 'SOURCE', cell: sourceText },
      { title: 'NOTE', cell: ({ message }) => message ?? '' },
    ],
    rows,
  );
}

function printWorkload(
  io: Io,
  { kind, name, action, restartsPods, state, message, diff }: WorkloadRow,
): void {
  const what = action === 'none' ? 'no change' : action === 'apply' ? 'inject' : 'take everything out';
  const said = state !== null && !(action === 'apply' && state === 'Injected') ? [state] : [];
  const details = [what, ...(restartsPods ? ['its pods are replaced'] : []), ...said];
  io.stdout.write(`\n${printable(`${kind} ${name}: ${details.join(', ')}`)}\n`);
  if (message !== null) io.stdout.write(`  ${printable(message)}\n`);
  if (diff.length === 0) return;
  io.stdout.write('  --- live\n  +++ planned\n');
  for (const line of diff) io.stdout.write(`  ${diffLine(io, line)}\n`);
}

function diffLine(io: Io, line: string): string {
  const text = printable(line);
  if (text.startsWith('+')) return styled(io.stdout, 'green', text);
  return text.startsWith('-') ? styled(io.stdout, 'red', text) : text;
}

function statusTable(io: Io, rows: readonly StatusRow[]): string {
  return table<StatusRow>(
    io.stdout,
    [
      { title: 'WHAT', cell: ({ about, name }) => (about === 'condition' ? name : 'SECRETS') },
      { title: 'NOW', cell: ({ from }) => from ?? '' },
      { title: 'PLANNED', cell: ({ to }) => to ?? '' },
      // the others say the same at greater length
      { title: 'NOTE', cell: ({ name, message }) => (name === 'Ready' ? (message ?? '') : '') },
    ],
    rows,
  );
}
