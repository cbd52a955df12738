import { readdirSync, readFileSync } from 'node:fs';

/** Of /proc/PID/stat, which is in hundredths of a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** CPU time that a process has used so far, in milliseconds. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // the name may hold anything, also spaces and brackets
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory of a process in bytes. */
export function rss(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

/** The process whose command line begins with a program of that name and mentions `word`. */
export function pidOf(program: string, word: string): number {
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue;
    const [command = '', ...args] = commandLine(entry);
    if (command.endsWith(`/${program}`) && args.some((arg) => arg.includes(word))) return Number(entry);
  }
  throw new Error(`no process ${program} of ${word}`);
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // it ended meanwhile
    return [];
  }
}
