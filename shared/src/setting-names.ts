/**
 * Every variable that means something to some part of Gatehouse. A service reads only its own, but is often given the
 * environment of all, so another's variable is no mistake; a name that is not here is. The reference test compares
 * this list with the tables of all services.
 */
export const settingNames = [
  'GATEHOUSE_SOURCE',
  'KUBECONFIG',
  'GATEHOUSE_NAMESPACE',
  'GATEHOUSE_TRUST_DOMAIN',
  'GATEHOUSE_CLUSTER_DOMAIN',
  'GATEHOUSE_GRPC_ADDR',
  'GATEHOUSE_GRPC_TLS',
  'GATEHOUSE_ADMIN_ADDR',
  'GATEHOUSE_STATE_DIR',
  'GATEHOUSE_ISSUER_DIR',
  'GATEHOUSE_TRUST_ANCHORS',
  'GATEHOUSE_POD_NAME',
  'GATEHOUSE_TOKEN_REVIEWER',
  'GATEHOUSE_TOKEN_REVIEW_RATE',
  'GATEHOUSE_TOKEN_REVIEW_BURST',
  'GATEHOUSE_REQUIRE_POD_BOUND_TOKEN',
  'GATEHOUSE_ISSUANCE_LIFETIME',
  'GATEHOUSE_CLOCK_SKEW',
  'GATEHOUSE_ISSUANCE_LOG',
  'GATEHOUSE_IDENTITY_ADDR',
  'GATEHOUSE_TOKEN_FILE',
  'GATEHOUSE_DEFAULT_INBOUND_POLICY',
  'GATEHOUSE_CLUSTER_NETWORKS',
  'GATEHOUSE_PROBE_NETWORKS',
  'GATEHOUSE_DEFAULT_OPAQUE_PORTS',
  'GATEHOUSE_MAX_STALENESS',
  'GATEHOUSE_ON_STALE',
  'GATEHOUSE_LOG_LEVEL',
  'GATEHOUSE_LOG_FORMAT',
  'GATEHOUSE_DEV_INBOUND',
  'GATEHOUSE_DEV_HTTP_PROXY',
] as const;

export type SettingName = (typeof settingNames)[number];
