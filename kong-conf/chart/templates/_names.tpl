{{/* The prefix of all names. */}}
{{- define "kube-sync.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{/* Of objects that are in no namespace, and of roles: two releases never share one. */}}
{{- define "kube-sync.roleName" -}}
{{- .Values.rbac.name | default (printf "kube-sync-%s-%s" .Release.Namespace (include "kube-sync.fullname" .)) -}}
{{- end }}

{{- define "kube-sync.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "kube-sync.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name: want the name of a ServiceAccount, because serviceAccount.create is false" .Values.serviceAccount.name -}}
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

{{/* The namespaces that are watched, as a JSON list in {"all": …}. It is empty for all. */}}
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

{{/* Selects the gateway's series: the labels that the monitors of this chart make. */}}
{{- define "kube-sync.series" -}}
{{- .Values.monitoring.prometheusRule.selector | default (printf "namespace=%q,job=%q" .Release.Namespace .Release.Name) -}}
{{- end }}
