{{/* Made from deploy/manifests; change that, then run `npm run chart`. */}}
{{- define "gatehouse.env.identity" -}}
- name: GATEHOUSE_NAMESPACE
  value: {{ .Release.Namespace | quote }}
- name: GATEHOUSE_TRUST_DOMAIN
  value: {{ .Values.trustDomain | toString | quote }}
- name: GATEHOUSE_LOG_LEVEL
  value: {{ .Values.logLevel | toString | quote }}
- name: GATEHOUSE_LOG_FORMAT
  value: {{ .Values.logFormat | toString | quote }}
- name: GATEHOUSE_MAX_STALENESS
  value: {{ .Values.maxStaleness | toString | quote }}
- name: GATEHOUSE_ISSUANCE_LIFETIME
  value: {{ .Values.identity.issuer.issuanceLifetime | toString | quote }}
- name: GATEHOUSE_CLOCK_SKEW
  value: {{ .Values.identity.issuer.clockSkewAllowance | toString | quote }}
- name: GATEHOUSE_TOKEN_REVIEWER
  value: {{ .Values.identity.tokenReviewer | toString | quote }}
{{- end -}}

{{- define "gatehouse.env.destination" -}}
- name: GATEHOUSE_NAMESPACE
  value: {{ .Release.Namespace | quote }}
- name: GATEHOUSE_TRUST_DOMAIN
  value: {{ .Values.trustDomain | toString | quote }}
- name: GATEHOUSE_CLUSTER_DOMAIN
  value: {{ .Values.clusterDomain | toString | quote }}
- name: GATEHOUSE_DEFAULT_OPAQUE_PORTS
  value: {{ .Values.opaquePorts | toString | quote }}
- name: GATEHOUSE_LOG_LEVEL
  value: {{ .Values.logLevel | toString | quote }}
- name: GATEHOUSE_LOG_FORMAT
  value: {{ .Values.logFormat | toString | quote }}
{{- end -}}

{{- define "gatehouse.env.policy" -}}
- name: GATEHOUSE_NAMESPACE
  value: {{ .Release.Namespace | quote }}
- name: GATEHOUSE_TRUST_DOMAIN
  value: {{ .Values.trustDomain | toString | quote }}
- name: GATEHOUSE_CLUSTER_DOMAIN
  value: {{ .Values.clusterDomain | toString | quote }}
- name: GATEHOUSE_CLUSTER_NETWORKS
  value: {{ .Values.clusterNetworks | toString | quote }}
- name: GATEHOUSE_DEFAULT_INBOUND_POLICY
  value: {{ .Values.defaultInboundPolicy | toString | quote }}
- name: GATEHOUSE_DEFAULT_OPAQUE_PORTS
  value: {{ .Values.opaquePorts | toString | quote }}
- name: GATEHOUSE_LOG_LEVEL
  value: {{ .Values.logLevel | toString | quote }}
- name: GATEHOUSE_LOG_FORMAT
  value: {{ .Values.logFormat | toString | quote }}
- name: GATEHOUSE_MAX_STALENESS
  value: {{ .Values.maxStaleness | toString | quote }}
- name: GATEHOUSE_PROBE_NETWORKS
  value: {{ .Values.policy.probeNetworks | toString | quote }}
- name: GATEHOUSE_ON_STALE
  value: {{ .Values.policy.onStale | toString | quote }}
{{- if not .Values.injector.enabled }}
- name: GATEHOUSE_WEBHOOK_ADDR
  value: ""
{{- else if .Values.ipv6 }}
- name: GATEHOUSE_WEBHOOK_ADDR
  value: "[::]:9443"
{{- end }}
{{- end -}}

{{- define "gatehouse.proxySettings" -}}
{
"controlPlaneNamespace": {{ .Release.Namespace | toJson }},
"trustDomain": {{ .Values.trustDomain | toJson }},
"clusterDomain": {{ .Values.clusterDomain | toJson }},
"clusterNetworks": {{ .Values.clusterNetworks | toJson }},
"defaultInboundPolicy": {{ .Values.defaultInboundPolicy | toJson }},
"opaquePorts": {{ .Values.opaquePorts | toJson }},
"ipv6": {{ .Values.ipv6 | toJson }},
"services": {"identity":{"service":"gatehouse-identity-headless","port":8080,"serviceAccount":"gatehouse-identity"},"destination":{"service":"gatehouse-dst-headless","port":8086,"serviceAccount":"gatehouse-destination"},"policy":{"service":"gatehouse-policy","port":8090,"serviceAccount":"gatehouse-policy"}},
"proxy": {{ .Values.proxy | toJson }},
"init": {{ .Values.init | toJson }},
"networkValidator": {{ .Values.networkValidator | toJson }},
"debug": {{ .Values.debug | toJson }}
}
{{- end -}}
