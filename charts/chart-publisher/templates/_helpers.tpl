{{- define "chart-publisher.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of all objects: the release's name, or release and chart. 52 characters leave room for endings. */}}
{{- define "chart-publisher.fullname" -}}
{{- $name := include "chart-publisher.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* The name of cluster-scoped objects: two releases in two namespaces do not meet. */}}
{{- define "chart-publisher.clusterName" -}}
{{- $fullname := include "chart-publisher.fullname" . }}
{{- if or (eq .Release.Namespace $fullname) (eq .Release.Namespace "default") }}{{ $fullname }}{{ else }}{{ printf "%s-%s" .Release.Namespace $fullname }}{{ end }}
{{- end }}

{{- define "chart-publisher.selectorLabels" -}}
app.kubernetes.io/name: {{ include "chart-publisher.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "chart-publisher.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "chart-publisher.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "chart-publisher.image" -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}{{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* A size like `16Mi`, in KiB. */}}
{{- define "chart-publisher.kibibytes" -}}
{{- $factor := dict "Ki" 1 "Mi" 1024 "Gi" 1048576 }}
{{- $unit := regexFind "[KMG]i$" . }}
{{- mul (int64 (trimSuffix $unit .)) (int64 (get $factor $unit)) }}
{{- end }}
