{{/* A value as a string: lists with commas, whole numbers without an exponent. */}}
{{- define "kube-sync.string" -}}
{{- if kindIs "slice" . -}}
{{- $all := list -}}
{{- range . -}}{{- $all = append $all (include "kube-sync.string" .) -}}{{- end -}}
{{- join "," $all -}}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end }}

{{/* The port of an address in a setting: host:port, :port or off. */}}
{{- define "kube-sync.portOf" -}}
{{- if not (has . (list "off" "0")) -}}
{{- regexFind "[0-9]+$" . -}}
{{- end -}}
{{- end }}

{{- define "kube-sync.metricsPort" -}}
{{- include "kube-sync.portOf" (.Values.settings.metricsBindAddress | default ":10255") -}}
{{- end }}

{{- define "kube-sync.healthPort" -}}
{{- include "kube-sync.portOf" (.Values.settings.healthProbeBindAddress | default ":10254") -}}
{{- end }}

{{/* One of Kong's listeners, on all addresses: (dict "ipv6" … "port" … "options" …). */}}
{{- define "kube-sync.listen" -}}
{{- $separator := .separator | default ", " -}}
0.0.0.0:{{ .port }} {{ .options }}
{{- if .ipv6 }}{{ $separator }}[::]:{{ .port }} {{ .options }}{{ end -}}
{{- end }}

{{/* Kong's settings for its listeners, as JSON. Settings that equal the image's kong.conf are left out. */}}
{{- define "kube-sync.listens" -}}
{{- $ports := .Values.ports -}}
{{- $six := $ports.ipv6 -}}
{{- $env := dict -}}
{{- $http := $ports.http -}}{{- $https := $ports.https -}}
{{- if or $six (not $http.enabled) (not $https.enabled) (ne (int $http.containerPort) 8000) (ne (int $https.containerPort) 8443) -}}
{{- $all := list -}}
{{- if $http.enabled -}}
{{- $all = append $all (include "kube-sync.listen" (dict "ipv6" $six "port" (int $http.containerPort) "options" "reuseport backlog=16384")) -}}
{{- end -}}
{{- if $https.enabled -}}
{{- $all = append $all (include "kube-sync.listen" (dict "ipv6" $six "port" (int $https.containerPort) "options" "http2 ssl reuseport backlog=16384")) -}}
{{- end -}}
{{- $_ := set $env "KONG_PROXY_LISTEN" (join ", " $all | default "off") -}}
{{- end -}}
{{- $maps := list -}}
{{- if $http.enabled -}}{{- $maps = append $maps (printf "%d:%d" (int $http.port) (int $http.containerPort)) -}}{{- end -}}
{{- if $https.enabled -}}{{- $maps = append $maps (printf "%d:%d" (int $https.port) (int $https.containerPort)) -}}{{- end -}}
{{- if and $maps (ne (join ", " $maps) "80:8000, 443:8443") -}}
{{- $_ := set $env "KONG_PORT_MAPS" (join ", " $maps) -}}
{{- end -}}
{{- if $six -}}
{{- $_ := set $env "KONG_STATUS_LISTEN" "0.0.0.0:8100, [::]:8100" -}}
{{- $plain := include "kube-sync.listen" (dict "ipv6" true "port" "20000-20019" "options" "reuseport backlog=16384" "separator" "; listen ") -}}
{{- $tls := include "kube-sync.listen" (dict "ipv6" true "port" "20020-20039" "options" "ssl reuseport backlog=16384" "separator" "; listen ") -}}
{{- $_ := set $env "KONG_NGINX_PROXY_LISTEN" (printf "%s; listen %s" $plain $tls) -}}
{{- end -}}
{{- if or $six $ports.streams -}}
{{- $all := list -}}
{{- range untilStep 20040 20060 1 -}}{{- $all = append $all (include "kube-sync.listen" (dict "ipv6" $six "port" . "options" "reuseport")) -}}{{- end -}}
{{- range untilStep 20060 20080 1 -}}{{- $all = append $all (include "kube-sync.listen" (dict "ipv6" $six "port" . "options" "ssl reuseport")) -}}{{- end -}}
{{- range untilStep 20080 20100 1 -}}{{- $all = append $all (include "kube-sync.listen" (dict "ipv6" $six "port" . "options" "udp reuseport")) -}}{{- end -}}
{{- range $ports.streams -}}
{{- $options := "reuseport" -}}
{{- if eq (.protocol | default "TCP") "UDP" -}}
{{- if .tls -}}{{- fail (printf "ports.streams: %s: tls is for TCP, and its protocol is UDP" .name) -}}{{- end -}}
{{- $options = "udp reuseport" -}}
{{- else if .tls -}}
{{- $options = "ssl reuseport" -}}
{{- end -}}
{{- $all = append $all (include "kube-sync.listen" (dict "ipv6" $six "port" (int .port) "options" $options)) -}}
{{- end -}}
{{- $_ := set $env "KONG_STREAM_LISTEN" (join ", " $all) -}}
{{- end -}}
{{- toJson $env -}}
{{- end }}

{{/* The environment variables of Kong's container. Later ones replace earlier ones: the chart's own, settings, kong, extraEnv. */}}
{{- define "kube-sync.env" -}}
{{- $prefix := "KONG_PLUGINSERVER_KUBE_SYNC_" -}}
{{- $env := include "kube-sync.listens" . | fromJson -}}
{{- $_ := set $env "KONG_PREFIX" "/kong_prefix" -}}
{{- $_ := set $env (print $prefix "POD_NAME") (dict "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.name"))) -}}
{{- $_ := set $env (print $prefix "POD_NAMESPACE") (dict "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.namespace"))) -}}
{{- $_ := set $env (print $prefix "INGRESS_CLASS") (include "kube-sync.ingressClass" .) -}}
{{- if .Values.proxy.enabled -}}
{{- $_ := set $env (print $prefix "PUBLISH_SERVICE") (printf "$(%sPOD_NAMESPACE)/%s-proxy" $prefix (include "kube-sync.fullname" .)) -}}
{{- end -}}
{{- if .Values.proxyUDP.enabled -}}
{{- $_ := set $env (print $prefix "PUBLISH_SERVICE_UDP") (printf "$(%sPOD_NAMESPACE)/%s-proxy-udp" $prefix (include "kube-sync.fullname" .)) -}}
{{- end -}}
{{- if .Values.plugins -}}
{{- $own := "bundled,kube-sync-delta,kube-sync-http,kube-sync-cors,kube-sync-ports,kube-sync-stream,kube-sync-closed,kube-sync-mtls,kube-sync-request,kube-sync-router,kube-sync-tenants" -}}
{{- $_ := set $env "KONG_PLUGINS" (printf "%s,%s" $own (join "," .Values.plugins)) -}}
{{- end -}}
{{- /* A null removes what another values file sets. */ -}}
{{- range $name, $value := .Values.settings -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $env (print $prefix (regexReplaceAll "([A-Z])" $name "_${1}" | upper)) (include "kube-sync.string" $value) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := .Values.kong -}}
{{- if not (kindIs "invalid" $value) -}}
{{- if not (kindIs "map" $value) -}}{{- $value = include "kube-sync.string" $value -}}{{- end -}}
{{- $_ := set $env (printf "KONG_%s" (upper $name)) $value -}}
{{- end -}}
{{- end -}}
{{- /* Kong reads an empty variable as the value true. */ -}}
{{- range $name, $value := $env -}}{{- if eq (toString $value) "" -}}{{- $_ := unset $env $name -}}{{- end -}}{{- end -}}
{{- range .Values.extraEnv -}}{{- $_ := unset $env .name -}}{{- end -}}
{{- range $name, $value := $env }}
- name: {{ $name }}
  {{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
  {{- else }}
  value: {{ quote $value }}
  {{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
