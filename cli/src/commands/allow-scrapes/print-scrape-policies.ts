import { GatehouseError } from '@gatehouse/core/error';
import { parseNetwork } from '@gatehouse/core/ip-network';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { printProblem } from '@gatehouse/core/problem';
import type { KubeObject } from '@gatehouse/manifests/objects/kube-object';
import { namespaceName } from '@gatehouse/manifests/values/value-forms';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printAs } from '../install/print-manifests.ts';
import type { ScrapeOptions } from './allow-scrapes.ts';

export const printScrapePolicies = async (
  options: ScrapeOptions,
  { terminal }: Surroundings,
): Promise<ExitCode> => {
  const { namespace, networks, serviceAccount = [], output } = options;
  const cidrs = (networks ?? '')
    .split(',')
    .map((cidr) => cidr.trim())
    .filter((cidr) => cidr !== '');
  const problems = [
    ...namespace.map((name) => namespaceName.readText(name, '--namespace')),
    ...cidrs.map((cidr) => parseNetwork(cidr, '--networks')),
  ].flatMap((outcome) => (outcome.ok ? [] : outcome.problems));
  if (problems.length > 0)
    throw new GatehouseError('invalid-argument', problems.map(printProblem).join('\n'));
  const sources = [
    ...(cidrs.length === 0 ? [] : [{ networks: cidrs.map((cidr) => ({ cidr })) }]),
    ...(serviceAccount.length === 0 ? [] : [{ serviceAccounts: serviceAccount }]),
  ];
  if (sources.length === 0) {
    throw new GatehouseError(
      'invalid-argument',
      'say who scrapes: give --networks, --service-account, or both',
    );
  }
  terminal.out(
    printAs(
      output,
      [...new Set(namespace)].map((name) => scrapePolicy(name, sources)),
    ),
  );
  return exitCode.ok;
};

const scrapePolicy = (namespace: string, sources: readonly object[]): KubeObject => ({
  apiVersion: 'policy.linkerd.io/v1alpha1',
  kind: 'NetworkAuthenticationPolicy',
  metadata: { name: 'allow-scrapes', namespace },
  spec: {
    target: { selector: {} },
    ports: [{ port: usualProxyPorts.admin }],
    sources,
    rules: [{ methods: ['GET'], paths: [{ type: 'Exact', value: '/metrics' }] }],
  },
});
