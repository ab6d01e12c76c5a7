import { parseHostPort } from '@gatehouse/core/host-port';
import { destinationSettings, readDestinationConfig } from '@gatehouse/destination/config';
import { identitySettings, readIdentityConfig } from '@gatehouse/identity/config';
import { adminServiceOf, headlessServiceOf } from '@gatehouse/platform/replicas/open-replicas';
import { accountOf, type ServiceName, serviceNames } from '@gatehouse/platform/service/service';
import type { Setting, Settings } from '@gatehouse/platform/settings/config';
import { policySettings, readPolicyConfig } from '@gatehouse/policy/config';
import { partOf } from './kube-object.ts';

/** What manifests must know of a service: its names and ports, and what its environment may say. */
export interface ServiceFacts {
  readonly service: ServiceName;
  /** Of ServiceAccount, Deployment, roles. */
  readonly name: string;
  readonly headless: string;
  readonly admin: string;
  readonly ports: { readonly grpc: number; readonly admin: number };
  readonly settings: Settings;
  /** Throws what a start with this environment would end with. */
  readonly readConfig: (env: Readonly<Record<string, string>>) => { readonly warnings: readonly string[] };
}

const portOf = ({ fallback = '', variable }: Setting<unknown>): number => {
  const address = parseHostPort(fallback, variable);
  if (!address.ok) throw new TypeError(`${variable} has no default port`);
  return address.value.port;
};

const factsOf = (
  service: ServiceName,
  settings: Settings & { readonly grpcAddress: Setting<unknown>; readonly adminAddress: Setting<unknown> },
  readConfig: ServiceFacts['readConfig'],
): ServiceFacts => ({
  service,
  name: accountOf(service),
  headless: headlessServiceOf[service],
  admin: adminServiceOf[service],
  ports: { grpc: portOf(settings.grpcAddress), admin: portOf(settings.adminAddress) },
  settings,
  readConfig,
});

const facts: Readonly<Record<ServiceName, ServiceFacts>> = {
  identity: factsOf('identity', identitySettings, readIdentityConfig),
  destination: factsOf('destination', destinationSettings, readDestinationConfig),
  policy: factsOf('policy', policySettings, readPolicyConfig),
};

export const controlPlane: readonly ServiceFacts[] = serviceNames.map((service) => facts[service]);

/** By these a service's pods are selected; they must never change, since a Deployment's selector cannot. */
export const selectorOf = ({ name }: ServiceFacts) => ({ 'app.kubernetes.io/name': name, ...partOf });
