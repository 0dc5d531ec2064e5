{{/* The prefix of the names of all objects. */}}
{{- define "kube-sync.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{/* The name of roles and cluster-scoped objects. Two releases never share one. */}}
{{- define "kube-sync.roleName" -}}
{{- .Values.rbac.name | default (printf "kube-sync-%s-%s" .Release.Namespace (include "kube-sync.fullname" .)) -}}
{{- end }}

{{- define "kube-sync.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "kube-sync.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name is required if serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{- define "kube-sync.selectorLabels" -}}
app.kubernetes.io/name: {{ .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: kube-sync
{{- end }}

{{- define "kube-sync.labels" -}}
{{ include "kube-sync.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "kube-sync.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "kube-sync.ingressClass" -}}
{{- .Values.settings.ingressClass | default "kong" -}}
{{- end }}

{{/* The watched namespaces, as a JSON list in {"all": …}. An empty list means all. */}}
{{- define "kube-sync.watched" -}}
{{- $all := .Values.settings.watchNamespace | default list -}}
{{- if kindIs "string" $all -}}
{{- $all = splitList "," (nospace $all) | compact -}}
{{- end -}}
{{- dict "all" $all | toJson -}}
{{- end }}

{{- define "kube-sync.createGatewayClass" -}}
{{- $create := .Values.gatewayClass.create -}}
{{- if or (eq (toString $create) "true") (and (eq (toString $create) "auto") (.Capabilities.APIVersions.Has "gateway.networking.k8s.io/v1")) -}}
true
{{- end -}}
{{- end }}

{{- define "kube-sync.openshift" -}}
{{- $on := toString .Values.openshift -}}
{{- if or (eq $on "true") (and (eq $on "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) -}}
true
{{- end -}}
{{- end }}

{{/* A selector for the gateway's series, by labels that the monitors of this chart set. */}}
{{- define "kube-sync.series" -}}
{{- .Values.monitoring.prometheusRule.selector | default (printf "namespace=%q,job=%q" .Release.Namespace .Release.Name) -}}
{{- end }}
