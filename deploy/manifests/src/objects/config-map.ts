import type { ProxySettings } from '@gatehouse/core/injection/proxy-settings';
import { parseProxySettings } from '@gatehouse/core/injection/proxy-settings';
import type { ReadValues } from '../values/read-values.ts';
import { unusableValues } from '../values/read-values.ts';
import type { Values } from '../values/value-fields.ts';
import { type KubeObject, partOf } from './kube-object.ts';

export const configName = 'gatehouse-config';

/** What the injector gets to know, from the same values. Throws `invalid-argument` when they do not go together. */
export const proxySettings = (values: Values): ProxySettings => {
  const { namespace, trustDomain, clusterDomain, clusterNetworks, defaultInboundPolicy, opaquePorts } =
    values;
  const { ipv6, proxy, init, networkValidator, debug } = values;
  const mesh = { trustDomain, clusterDomain, clusterNetworks, defaultInboundPolicy, opaquePorts, ipv6 };
  const settings = parseProxySettings({
    controlPlaneNamespace: namespace,
    ...mesh,
    proxy,
    init,
    networkValidator,
    debug,
  });
  if (!settings.ok) throw unusableValues(settings.problems);
  return settings.value;
};

/** What was installed: for the next upgrade, and for injection. Nothing in it is secret. */
export const configMap = ({ values, given }: ReadValues): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: configName, namespace: values.namespace, labels: partOf },
  data: { 'values.json': printJson(given), 'proxy.json': printJson(proxySettings(values)) },
});

const printJson = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
