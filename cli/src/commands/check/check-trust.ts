import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { warningShare } from '@gatehouse/core/expiry';
import { printProblem } from '@gatehouse/core/problem';
import { injectorName, webhookPort, webhookServiceName } from '@gatehouse/manifests/objects/injector';
import { trustRootsName } from '@gatehouse/manifests/objects/trust';
import { printMoment } from '../../print/human-time.ts';
import { findServicePod } from '../../reach/find-service-pod.ts';
import { IssuerReport } from '../identity/issuer-report.ts';
import type { CheckContext } from './check-context.ts';
import { at, items, text } from './cluster-reader.ts';
import { type Check, count, type Finding, failed, ok, skipped, warning } from './finding.ts';
import { readCertificates } from './read-certificates.ts';

const newRoots = 'docs/identity.md says how roots are changed without a gap';

const trustRoots: Check<CheckContext> = {
  name: 'Trust roots',
  run: async ({ cluster, namespace, now }) => {
    const path = `/api/v1/namespaces/${namespace}/configmaps/${trustRootsName}`;
    const bundle = text(at(await cluster.get(path), 'data', 'ca-bundle.crt'));
    const place = `ConfigMap ${namespace}/${trustRootsName}`;
    const roots = readCertificates(bundle);
    if (roots === undefined)
      return failed(
        `${place} has no certificates in ca-bundle.crt`,
        'restore it: pods that were injected have the roots in LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS',
      );
    const findings = roots.flatMap((root) => judgeRoot(root, now()));
    return findings.length > 0
      ? findings
      : ok(
          `${count(roots.length, 'root')}, the first to end ${printMoment(Math.min(...roots.map(endOf)), now())}`,
        );
  },
};

const endOf = ({ validTo }: X509Certificate): number => Date.parse(validTo);

const judgeRoot = (root: X509Certificate, now: number): readonly Finding[] => {
  const life = { notBefore: Date.parse(root.validFrom), notAfter: endOf(root) };
  const name = root.subject.replaceAll('\n', ', ');
  if (life.notAfter <= now)
    return [failed(`the root ${name} expired ${printMoment(life.notAfter, now)}`, newRoots)];
  if (warningShare(life, now) === undefined) return [];
  return [warning(`the root ${name} ends ${printMoment(life.notAfter, now)}`, newRoots)];
};

const issuer: Check<CheckContext> = {
  name: 'Issuer',
  run: async ({ api, now }) => {
    const identity = await api('identity');
    const { usable, issuer: current, rejected, warnings } = await identity.json(IssuerReport, '/v1/issuer');
    const refused = rejected?.problems.map(printProblem) ?? [];
    if (!usable || current === null)
      return failed(
        ['identity can sign nothing', ...refused].join('; '),
        'put a usable tls.crt and tls.key into the Secret gatehouse-issuer; gatehouse identity issuer shows what is wrong',
      );
    const findings = [
      ...warnings.map(({ found, fix }) => warning(found, fix)),
      ...refused.map((why) =>
        warning(
          `the issuer's files as they are now are not accepted: ${why}`,
          'gatehouse identity issuer shows them',
        ),
      ),
    ];
    return findings.length > 0
      ? findings
      : ok(`${current.subject} signs, and ends ${printMoment(Date.parse(current.notAfter), now())}`);
  },
};

const logs =
  'see the log of gatehouse-policy, whose leader writes it; applying what install prints makes it write again';

const webhook: Check<CheckContext> = {
  name: 'Injection webhook',
  run: async ({ cluster, namespace }) => {
    const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${injectorName}`;
    const configuration = await cluster.get(path);
    if (configuration === undefined)
      return skipped(
        `there is no MutatingWebhookConfiguration ${injectorName}: pods are injected by gatehouse inject alone`,
      );
    const bundles = items(configuration.webhooks).map((one) => text(at(one, 'clientConfig', 'caBundle')));
    const [bundle = ''] = bundles;
    if (bundles.some((one) => one === ''))
      return failed(
        `${injectorName} has no caBundle, so the API server cannot believe the webhook: namespaces with the label get no pods`,
        logs,
      );
    const { client, signal } = cluster;
    const pod = await findServicePod(client, { service: 'policy', namespace, signal });
    const name = `${webhookServiceName}.${namespace}.svc`;
    try {
      const port = portOf(await cluster.get(`/api/v1/namespaces/${namespace}/pods/${pod.name}`));
      const stream = await client.portForward({ namespace, pod: pod.name, port, signal });
      const ca = Buffer.from(bundle, 'base64');
      const socket = connect({ socket: stream, servername: name, ca, checkServerIdentity: () => undefined });
      const late = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
      try {
        await once(socket, 'secureConnect', { signal: late });
        const { subjectaltname = '' } = socket.getPeerCertificate();
        if (!subjectaltname.split(', ').includes(`DNS:${name}`))
          return failed(`the webhook's certificate is for ${subjectaltname}, not for ${name}`, logs);
      } finally {
        socket.destroy();
        stream.destroy();
      }
    } catch (thrown) {
      signal.throwIfAborted();
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      return failed(
        `the webhook in pod ${namespace}/${pod.name} does not answer as ${injectorName} expects it to: ${why}`,
        logs,
      );
    }
    return ok(`the webhook answers, and the API server believes it`);
  },
};

const portOf = (pod: unknown): number => {
  const ports = items(at(pod, 'spec', 'containers')).flatMap((container) => items(container.ports));
  return Number(ports.find(({ name }) => name === 'webhook')?.containerPort ?? webhookPort);
};

export const trustChecks: readonly Check<CheckContext>[] = [trustRoots, issuer, webhook];
