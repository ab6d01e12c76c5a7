import { stringify } from 'yaml';

export interface KubeconfigSaid {
  readonly server: string;
  /** PEM of the authority that certifies the server; plain HTTP has none. */
  readonly authority?: string;
  readonly token?: string;
}

/** A kubeconfig with one cluster, one user and one context, all named `fake`. */
export const printKubeconfig = ({ server, authority, token }: KubeconfigSaid): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'fake',
        cluster: {
          server,
          ...(authority === undefined
            ? {}
            : { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
        },
      },
    ],
    users: [{ name: 'fake', user: token === undefined ? {} : { token } }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake', namespace: 'default' } }],
    'current-context': 'fake',
  });
