/** The ports that a pod's proxy itself listens on. */
export interface ProxyPorts {
  /** Where the pod's network rules lead connections to the application. */
  readonly inbound: number;
  /** For `tap`. */
  readonly control: number;
  /** Probes and metrics of the proxy. */
  readonly admin: number;
}

/** Where the proxy's environment does not say otherwise. */
export const usualProxyPorts: ProxyPorts = Object.freeze({ inbound: 4143, control: 4190, admin: 4191 });

/** Whether a port is one of the proxy's, which no policy for "every port" means. */
export const isProxyPort = ({ inbound, control, admin }: ProxyPorts, port: number): boolean =>
  port === inbound || port === control || port === admin;

/** Whether connections to a port end in the proxy's own server: no network rule leads them to its inbound port. */
export const isProxyServer = ({ control, admin }: ProxyPorts, port: number): boolean =>
  port === control || port === admin;
