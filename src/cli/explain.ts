import { digest, digestOf } from '../controller/digest.ts';
import { plan } from '../plan/plan.ts';
import { withCluster } from './cluster.ts';
import { defineCommand } from './command.ts';
import { CommandError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import { explained } from './explain-chain.ts';
import { firstBroken, type Link } from './explain-link.ts';
import { readPods } from './explain-pods.ts';
import type { Io } from './io.ts';
import { readLiveSnapshot } from './live-snapshot.ts';
import { modelName } from './model-name.ts';
import { approvalOption, clusterOptions, outputOption } from './options.ts';
import { NEW_REVISION } from './plan-report.ts';
import { formatOf, printable, printData, table } from './print.ts';
import { withProgress } from './progress.ts';
import { type Style, styled } from './style.ts';

/** Why one secret is there or is not; the shape is in docs/cli.md. */
interface Explanation {
  readonly name: string;
  /** All that could be looked at holds. */
  readonly there: boolean;
  readonly failsAt: Link['step'] | null;
  readonly links: readonly Link[];
}

export const explain = defineCommand({
  usage: 'explain MODEL [NAME] [OPTIONS]',
  description: [
    'Says why a secret is there or is not, as a chain of facts from config.yaml to the pods, each with the command that checks it. The first one that does not hold is marked, with the command that mends it. Without NAME: one line for each secret.',
    "It goes by the operator's own rules and reads with your own rights: what you may not read is said, and is unknown.",
  ],
  maxPositionals: 2,
  options: { ...approvalOption, ...outputOption, ...clusterOptions },
  examples: [
    { does: 'what is the matter with this model?', line: 'truss-secrets explain gfpgan -n models' },
    { does: 'step by step, for one secret', line: 'truss-secrets explain gfpgan hf_access_token' },
  ],
  run: async (io, { values, positionals }) => {
    const format = formatOf(values.output);
    const model = modelName(positionals);
    const asked = positionals[1];
    return withCluster(io, values, async (cluster) => {
      const requireApproval = values['require-approval'];
      const [live, pods] = await withProgress(io, 'Reading the cluster', async () => {
        const read = await readLiveSnapshot(cluster, { model, requireApproval });
        return [read, await readPods(read)] as const;
      });
      const acted = plan(live.snapshot, { digest, digestOf, freshRevision: NEW_REVISION });
      if (acted.kind === 'leave')
        throw new CommandError(`ModelDeployment ${model} is being deleted: nothing is delivered any more`);
      const facts = { live, acted, program: io.program, pods };
      const names = asked === undefined ? acted.resolutions.map(({ name }) => name) : [asked];
      const secrets = names.map((name): Explanation => {
        const links = explained(name, facts);
        const broken = firstBroken(links);
        return { name, there: broken === undefined, failsAt: broken?.step ?? null, links };
      });
      const { namespace } = cluster;
      if (format !== 'table') {
        const unread = [...live.reads.unread].toSorted();
        const { requireApproval: approval } = live;
        await printData(io, format, {
          version: 1,
          namespace,
          model,
          requireApproval: approval,
          unread,
          secrets,
        });
        return EXIT.done;
      }
      const [only] = secrets;
      if (asked !== undefined && only) printChain(io, `ModelDeployment ${namespace}/${model}`, only);
      else if (secrets.length > 0) printSummary(io, secrets);
      else io.stdout.write(`${acted.config.message}\n`);
      return EXIT.done;
    });
  },
});

const MARKS: Readonly<
  Record<Exclude<Link['holds'], 'skipped'>, { readonly text: string; readonly style: Style }>
> = {
  yes: { text: 'ok', style: 'green' },
  no: { text: 'FAILS', style: 'red' },
  unknown: { text: '?', style: 'yellow' },
};

function printChain(io: Io, model: string, { name, there, failsAt, links }: Explanation): void {
  const out = (text: string): void => io.stdout.write(`${text}\n`);
  const verdict = there ? 'nothing stands in its way' : `stops at: ${failsAt ?? ''}`;
  out(`${printable(name)} of ${model}: ${verdict}\n`);
  for (const { step, holds, fact, check, fix } of links) {
    if (holds === 'skipped') continue;
    const { text, style } = MARKS[holds];
    const mark = styled(io.stdout, style, text.padEnd(5));
    out(`  ${mark}  ${step.padEnd(8)}  ${printable(fact)}`.trimEnd());
    if (fix !== null) out(`${INDENT}fix: ${printable(fix)}`);
    if (check !== null) out(styled(io.stdout, 'dim', `${INDENT}check: ${printable(check)}`));
  }
  const open = links.filter(({ holds }) => holds === 'skipped').map(({ step }) => step);
  if (open.length > 0) out(styled(io.stdout, 'dim', `  -      then ${open.join(', ')}`));
}

const INDENT = ' '.repeat(19);

function printSummary(io: Io, secrets: readonly Explanation[]): void {
  io.stdout.write(
    table<Explanation>(
      io.stdout,
      [
        { title: 'NAME', cell: ({ name }) => name },
        {
          title: 'FAILS AT',
          cell: ({ failsAt }) => failsAt ?? '',
          style: ({ there }) => (there ? 'dim' : 'red'),
        },
        { title: 'WHY', cell: ({ links }) => firstBroken(links)?.fact ?? '' },
        { title: 'FIX', cell: ({ links }) => firstBroken(links)?.fix ?? '' },
      ],
      secrets,
    ),
  );
}
