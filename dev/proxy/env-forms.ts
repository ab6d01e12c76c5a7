import { parseDuration } from '@gatehouse/core/duration';
import type { HostPort } from '@gatehouse/core/host-port';
import { type IpNetwork, readIp } from '@gatehouse/core/ip-network';
import { clusterDomainIn } from '@gatehouse/core/mesh/service-authority';
import { type Problem, parsed, problem } from '@gatehouse/core/problem';
import type { ValueForm } from '@gatehouse/platform/settings/config';
import { dnsName, duration, hostPort, networks } from '@gatehouse/platform/settings/setting-forms';

/** A port of this pod: what the proxy listens on itself, since nothing is redirected to it, and the application behind. */
export interface InboundPort {
  readonly listen: HostPort;
  readonly app: HostPort;
}

export const text: ValueForm<string> = { form: 'text', read: (value) => parsed(value) };

/** Anything but nothing. */
export const nonEmpty: ValueForm<string> = {
  form: 'text',
  read: (value, field) =>
    value.trim() === '' ? problem(field, 'is empty', 'give it a value') : parsed(value),
};

/** PEM text, not the path of a file. */
export const anchors: ValueForm<string> = {
  form: 'PEM certificates',
  read: (value, field) =>
    value.includes('-----BEGIN CERTIFICATE-----')
      ? parsed(value)
      : problem(field, 'holds no certificate', 'give the PEM text itself, not the path of a file'),
};

/** A duration; empty = none. */
export const limit: ValueForm<number | undefined> = {
  form: duration.form,
  read: (value, field) => (value === '' ? parsed(undefined) : parseDuration(value, field)),
};

/** Empty = none. */
export const networkList: ValueForm<readonly IpNetwork[]> = {
  form: networks.form,
  read: (value, field) => (value === '' ? parsed([]) : networks.read(value, field)),
};

/** `GATEHOUSE_DEV_INBOUND`. */
export const inboundPorts: ValueForm<readonly InboundPort[]> = {
  form: 'podIP:port=127.0.0.1:appPort, comma-separated',
  read: (value, field) => {
    const ports: InboundPort[] = [];
    const problems: Problem[] = [];
    for (const item of value.split(',').filter((one) => one !== '')) {
      const [listen = '', app = '', ...rest] = item.trim().split('=');
      const [from, to] = [hostPort.read(listen, field), hostPort.read(app, field)];
      if (rest.length === 0 && from.ok && to.ok && from.value.port !== 0) {
        ports.push({ listen: from.value, app: to.value });
      } else {
        problems.push({
          field,
          found: `\`${item}\` is not a pair of addresses`,
          fix: 'write podIP:port=127.0.0.1:appPort',
        });
      }
    }
    const numbers = ports.map(({ listen }) => listen.port);
    if (new Set(numbers).size < numbers.length) {
      problems.push({ field, found: 'names a port twice', fix: 'a pod has each port once' });
    }
    if (new Set(ports.map(({ listen }) => listen.host)).size > 1) {
      problems.push({ field, found: 'names two pod addresses', fix: 'one proxy stands for one pod address' });
    }
    return problems.length > 0 ? { ok: false, problems } : parsed(ports);
  },
};

/** The domain that completes Service names: of `svc.cluster.local.,other.` that of the first suffix of Services. */
export const clusterDomain: ValueForm<string> = {
  form: 'DNS suffixes, comma-separated',
  read: (value, field) => {
    const [domain = 'cluster.local'] = value.split(',').flatMap((one) => clusterDomainIn(one) ?? []);
    return dnsName.read(domain, field);
  },
};

/** Addresses, comma-separated; the first is taken. */
export const firstIp: ValueForm<string | undefined> = {
  form: 'IP addresses, comma-separated',
  read: (value, field) => {
    const items = value.split(',').filter((one) => one !== '');
    const wrong = items.find((one) => readIp(one) === undefined);
    return wrong === undefined
      ? parsed(items[0])
      : problem(field, `\`${wrong}\` is not a valid address`, 'write IPv4 or IPv6 addresses');
  },
};
