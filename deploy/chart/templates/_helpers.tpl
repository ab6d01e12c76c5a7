{{/* What the chart cannot say in one place: the names and ports of the three services. Called with one of their names. */}}
{{- define "gatehouse.facts" -}}
{{- $facts := dict
  "identity" (dict "headless" "gatehouse-identity-headless" "grpc" 8080 "admin" 9990)
  "destination" (dict "headless" "gatehouse-dst-headless" "grpc" 8086 "admin" 9996)
  "policy" (dict "headless" "gatehouse-policy" "grpc" 8090 "admin" 9997) -}}
{{- get $facts . | toJson -}}
{{- end -}}

{{/* By these a service's pods are selected. Called with its name. */}}
{{- define "gatehouse.selector" -}}
app.kubernetes.io/name: gatehouse-{{ . }}
app.kubernetes.io/part-of: gatehouse
{{- end -}}

{{/* Called with the root and the name of a service, in a list. */}}
{{- define "gatehouse.replicas" -}}
{{- $values := (index . 0).Values -}}
{{- $own := (get $values (index . 1)).replicas -}}
{{- if $own }}{{ $own }}{{ else if $values.replicas }}{{ $values.replicas }}{{ else if $values.highAvailability }}3{{ else }}2{{ end -}}
{{- end -}}

{{- define "gatehouse.antiAffinity" -}}
{{- .Values.podAntiAffinity | default (ternary "required" "preferred" .Values.highAvailability) -}}
{{- end -}}

{{- define "gatehouse.image" -}}
{{- $version := .Values.image.version -}}
{{- .Values.image.name }}{{ ternary "@" ":" (hasPrefix "sha256:" $version) }}{{ $version -}}
{{- end -}}

{{- define "gatehouse.versionLabel" -}}
{{- .Values.image.version | trimPrefix "sha256:" | trunc 40 -}}
{{- end -}}

{{/* Requests and limits that are not empty. Called with the root and the name of a service, in a list. */}}
{{- define "gatehouse.resources" -}}
{{- $all := (index . 0).Values.resources -}}
{{- $own := (get (index . 0).Values (index . 1)).resources -}}
{{- $found := dict -}}
{{- range $what := list "requests" "limits" -}}
{{- range $resource := list "cpu" "memory" -}}
{{- $quantity := get (get $own $what) $resource | default (get (get $all $what) $resource) -}}
{{- if $quantity -}}
{{- $_ := set $found $what (set (get $found $what | default dict) $resource $quantity) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}
