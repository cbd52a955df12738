/**
 * Run by process.test.ts: owns a process that has a child, and a folder, and ends as its argument says.
 * Prints what it owns as JSON.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder } from '../guard.ts';
import { startProcess } from '../process.ts';

const folder = await temporaryFolder(join(tmpdir(), 'truss test-'));
const child = await startProcess('sh', ['-c', 'sleep 600 & sleep 600'], { log: join(folder.path, 'log') });
console.log(JSON.stringify({ pid: child.pid, folder: folder.path }));

const ending = process.argv[2];
if (ending === 'exit') process.exit(0);
if (ending === 'crash') {
  setImmediate(() => {
    throw new Error('as asked for');
  });
}
