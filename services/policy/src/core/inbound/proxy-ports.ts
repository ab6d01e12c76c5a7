/** Inbound, control (tap) and admin: the ports that a proxy itself listens on. */
export const proxyPorts = { inbound: 4143, control: 4190, admin: 4191 } as const;

export const isProxyPort = (port: number): boolean =>
  port === proxyPorts.inbound || port === proxyPorts.control || port === proxyPorts.admin;
