import { GatehouseError } from '@gatehouse/core/error';
import { printProblem } from '@gatehouse/core/problem';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printMoment } from '../../print/human-time.ts';
import { printShown } from '../../print/output.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import type { IssuerOptions } from './issuer.ts';
import { IssuerReport, TrustBundle } from './issuer-report.ts';
import { type NamedCa, tableOfCas } from './print-ca.ts';

/** Fails where no certificate can be issued. */
export const showIssuer = (options: IssuerOptions, surroundings: Surroundings): Promise<ExitCode> =>
  withAdmin({ service: 'identity', options, surroundings }, async (api) => {
    const { terminal } = surroundings;
    const now = Date.now();
    const report = await api.json(IssuerReport, '/v1/issuer');
    // Without an accepted issuer there is no accepted bundle either.
    const roots =
      report.issuer === null
        ? []
        : (await api.json(TrustBundle, '/v1/trust-bundle', { format: 'json' })).certificates;
    const cas = namedCas(report, roots);
    const isForPeople = options.output === 'table' || options.output === 'wide';
    if (cas.length > 0 || !isForPeople) {
      const table = tableOfCas(cas, { now, paint: terminal.paint });
      terminal.out(printShown(options.output, { value: report, ...table }, terminal.width));
    }
    if (isForPeople) {
      for (const { title, problems } of remarks(report, now)) {
        const lines = problems.map((problem) => `  ${printProblem(problem)}`);
        terminal.out([...(cas.length > 0 ? [''] : []), terminal.paint('yellow', title), ...lines].join('\n'));
      }
    }
    if (report.usable) return exitCode.ok;
    throw new GatehouseError('failed-precondition', whyUnusable(report, now));
  });

/** What people should look at beside the table. */
const remarks = ({ warnings, rejected }: IssuerReport, now: number) => [
  ...(warnings.length === 0
    ? []
    : // The sentence names the certificate.
      [{ title: 'Near its end:', problems: warnings.map(({ found, fix }) => ({ field: '', found, fix })) }]),
  ...(rejected === null
    ? []
    : [
        {
          title: `The issuer's files as they are now were refused, first ${printMoment(Date.parse(rejected.since), now)}:`,
          problems: rejected.problems,
        },
      ]),
];

const namedCas = ({ issuer }: IssuerReport, roots: TrustBundle['certificates']): readonly NamedCa[] => {
  if (issuer === null) return [];
  const [, ...above] = issuer.intermediates;
  const isIssuerRoot = issuer.sha256 === issuer.anchor.sha256;
  return [
    { role: isIssuerRoot ? 'issuer and root' : 'issuer', certificate: issuer },
    ...above.map((certificate) => ({ role: 'intermediate', certificate })),
    ...(isIssuerRoot ? [] : [{ role: 'root', certificate: issuer.anchor }]),
    ...roots
      .filter(({ sha256 }) => sha256 !== issuer.anchor.sha256)
      .map(({ pem: _, ...certificate }) => ({ role: 'other root', certificate })),
  ];
};

const whyUnusable = ({ issuer }: IssuerReport, now: number): string => {
  if (issuer === null)
    return 'no certificate can be issued: no issuer was accepted yet; fix its files as described';
  const chain = [issuer, ...issuer.intermediates];
  const early = chain.find(({ notBefore }) => now < Date.parse(notBefore));
  if (early !== undefined)
    return `no certificate can be issued: ${early.subject} is valid only from ${early.notBefore}; compare the clocks, see docs/clocks.md`;
  const ended = chain.find(({ notAfter }) => Date.parse(notAfter) <= now);
  const why =
    ended === undefined
      ? 'the issuer is not usable'
      : `${ended.subject} expired ${printMoment(Date.parse(ended.notAfter), now)}`;
  return `no certificate can be issued: ${why}; put a new tls.crt and tls.key where the issuer lies, see docs/identity.md`;
};
