import { printClock, printMoment } from '../../print/human-time.ts';
import type { Terminal } from '../../print/terminal.ts';
import { shortHex } from './issued-item.ts';
import type { PodReport } from './pod-report.ts';
import type { Served } from './served-certificate.ts';

type Paint = Terminal['paint'];

export interface Told {
  readonly now: number;
  readonly paint: Paint;
}

/** A report, and what the pod's proxy shows; null where nobody looked. */
export interface ShownPod extends PodReport {
  readonly served: Served | null;
}

/** One pod's certificate as a person reads it, a fact a line. */
export const printPod = (report: ShownPod, { now, paint }: Told): string => {
  const { pod, identity, certificate, renewals, keys, since } = report;
  const facts: readonly (readonly [string, string])[] = [
    ['identity', identity],
    ['state', stateOf(report, { now, paint })],
    ['issued', moment(certificate.issuedAt, now)],
    [report.state === 'expired' ? 'expired' : 'expires', moment(certificate.notAfter, now)],
    ['renewal', renewalOf(report, { now, paint })],
    ['serial', certificate.serial],
    ['key sha-256', certificate.spkiSha256],
    [
      'history',
      `${count(renewals + 1, 'certificate')}, ${count(keys, 'key')}, since ${printMoment(Date.parse(since), now)}`,
    ],
    ['pod uid', pod.uid],
    ...(report.served === null ? [] : [['served', printServed(report.served, { now, paint })] as const]),
  ];
  return [
    paint('bold', `${pod.namespace}/${pod.name}`),
    ...facts.map(([name, fact]) => `  ${name.padEnd(12)}${fact}`),
    ...suspicionsOf(report, { now, paint }),
  ].join('\n');
};

export const podHeads = ['pod', 'identity', 'state', 'issued', 'expires', 'renewals', 'keys'] as const;

/** Several pods, a row each: what `podHeads` names. */
export const podRow = (report: PodReport, short: string, told: Told): readonly string[] => [
  `${report.pod.namespace}/${report.pod.name}`,
  short,
  stateOf(report, told),
  printMoment(Date.parse(report.certificate.issuedAt), told.now),
  printMoment(Date.parse(report.certificate.notAfter), told.now),
  `${report.renewals}`,
  `${report.keys}`,
];

const stateOf = ({ state, suspicious, overdue }: PodReport, { paint }: Told): string => {
  if (suspicious.length > 0) return paint('red', 'SUSPICIOUS');
  switch (state) {
    case 'expired':
      return paint('red', 'expired');
    case 'not valid yet':
      return paint('yellow', 'not valid yet');
    case 'valid':
      return overdue ? paint('yellow', 'renewal overdue') : paint('green', 'valid');
  }
};

export const printServed = (served: Served, { now, paint }: Told): string => {
  if (served.kind === 'not seen') return paint('yellow', `not seen: ${served.reason}`);
  const { match, refusedFor, serial, issuer, notAfter } = served;
  if (refusedFor !== null)
    return paint('red', `serial ${serial} by ${issuer}, which clients refuse: ${refusedFor}`);
  const about = `serial ${serial} by ${issuer}, expires ${printMoment(Date.parse(notAfter), now)}`;
  switch (match) {
    case 'the latest':
      return paint('green', `this certificate, by ${issuer}`);
    case 'an older one':
      return paint('yellow', `an older one: ${about}`);
    case 'not remembered':
      return paint('yellow', `one that identity does not remember: ${about}`);
  }
};

const moment = (time: string, now: number): string => {
  const then = Date.parse(time);
  return `${printMoment(then, now)} (${printClock(then)})`;
};

const renewalOf = ({ renewalDue, overdue, state }: PodReport, { now, paint }: Told): string => {
  const due = Date.parse(renewalDue);
  if (!overdue) return `due ${moment(renewalDue, now)}`;
  const since = `was due ${printMoment(due, now)}`;
  const advice = 'is the pod gone, or does its proxy log say why?';
  return state === 'expired'
    ? `${since} and did not come: ${advice}`
    : paint('yellow', `${since}: ${advice}`);
};

const suspicionsOf = ({ suspicious }: PodReport, { now, paint }: Told): readonly string[] =>
  suspicious.length === 0
    ? []
    : [
        '',
        paint(
          'red',
          'SUSPICIOUS: two hold keys of this pod. A key that it had left behind was certified again:',
        ),
        ...suspicious.map(
          ({ serial, spkiSha256, issuedAt }) =>
            `  ${printMoment(Date.parse(issuedAt), now)}, serial ${serial}, key ${shortHex(spkiSha256)}`,
        ),
        'Delete the pod: its token and both keys end with it. Then find out who read its volumes.',
      ];

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
