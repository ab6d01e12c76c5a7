/** The user that proxies run as: what it sends is not redirected to itself. */
export const proxyUid = 2102;
export const inboundPort = 4143;
export const outboundPort = 4140;
export const adminPort = 4191;

/** proxy-init's rules (contract/proxy.md §5.3) in the form of iptables-restore; the same text serves IPv6. */
export const redirectRules = (): string =>
  [
    '*nat',
    ':PROXY_INIT_REDIRECT - [0:0]',
    ':PROXY_INIT_OUTPUT - [0:0]',
    `-A PROXY_INIT_REDIRECT -p tcp -m multiport --dports 4190,${adminPort} -j RETURN`,
    `-A PROXY_INIT_REDIRECT -p tcp -j REDIRECT --to-ports ${inboundPort}`,
    '-A PREROUTING -j PROXY_INIT_REDIRECT',
    `-A PROXY_INIT_OUTPUT -m owner --uid-owner ${proxyUid} -j RETURN`,
    '-A PROXY_INIT_OUTPUT -o lo -j RETURN',
    `-A PROXY_INIT_OUTPUT -p tcp -j REDIRECT --to-ports ${outboundPort}`,
    '-A OUTPUT -j PROXY_INIT_OUTPUT',
    'COMMIT',
    '',
  ].join('\n');
