// Web servers, workers and the migration on Azure Container Apps. PostgreSQL, Redis, SignalR and Event Hubs outlive
// deployments and are made elsewhere; what leads to them is in a Key Vault. How to use it: docs/deploy.md.
//   az deployment group create -g GROUP -f deploy/azure/main.bicep -p environmentName=… image=… publicUrl=https://…

@description('The Container Apps environment, in this resource group.')
param environmentName string
@description('The image, by its digest or a tag that is never moved.')
param image string
@description('The address that clients call.')
param publicUrl string
@description('The Key Vault with the secrets: SECRET_KEY is there as secret-key.')
param keyVaultName string
@description('A user-assigned identity that may read that vault, and pull from the registry.')
param identityId string
@description('The registry of the image, such as firm.azurecr.io.')
param registry string
@description('Networks that the ingress calls from, as CIDR by commas: the subnet of the environment.')
param trustedProxies string
@description('Names of the settings that are secrets. The first three are needed; add AZURE_SIGNALR_CONNECTION_STRING, EVENT_HUBS_CONNECTION_STRING, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN, ZOHO_ENCRYPTION_KEYS as you use them.')
param secretSettings array = ['SECRET_KEY', 'DATABASE_URL', 'REDIS_URL', 'OPENAI_API_KEY']
@description('Other settings by name (docs/settings.md), such as { OWN_DOMAINS: \'well.example\' }.')
param settings object = {}
param location string = resourceGroup().location

var vault = 'https://${keyVaultName}${environment().suffixes.keyvaultDns}/secrets'
var secrets = [for name in secretSettings: {
  name: toLower(replace(name, '_', '-'))
  keyVaultUrl: '${vault}/${toLower(replace(name, '_', '-'))}'
  identity: identityId
}]
var secretEnv = [for name in secretSettings: { name: name, secretRef: toLower(replace(name, '_', '-')) }]
var otherEnv = [for one in items(settings): { name: one.key, value: one.value }]
var ownEnv = [
  { name: 'PUBLIC_URL', value: publicUrl }
  { name: 'ALLOWED_HOSTS', value: '${split(publicUrl, '/')[2]},localhost' }
  { name: 'TRUSTED_PROXIES', value: trustedProxies }
  { name: 'JOBS', value: 'elsewhere' }
  { name: 'LOG_FORMAT', value: 'json' }
]
// Probes call by the container's address, which is none of ALLOWED_HOSTS.
var asOurs = [{ name: 'Host', value: 'localhost' }]
var env = concat(secretEnv, ownEnv, otherEnv)
var identity = { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
var registries = [{ server: registry, identity: identityId }]

resource apps 'Microsoft.App/managedEnvironments@2024-03-01' existing = { name: environmentName }

resource web 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'wellintake-web'
  location: location
  identity: identity
  properties: {
    managedEnvironmentId: apps.id
    configuration: {
      activeRevisionsMode: 'Single' // the old revision goes once the new one is ready
      maxInactiveRevisions: 5 // to roll back to
      secrets: secrets
      registries: registries
      // No sticky sessions. The ingress cuts streams after four minutes; ours end after three.
      ingress: { external: true, targetPort: 8000, transport: 'auto', allowInsecure: false }
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'web'
          image: image
          command: ['uvicorn', 'wellintake.asgi:application', '--host', '0.0.0.0', '--port', '8000']
          args: ['--ws', 'websockets-sansio', '--http', 'wellintake.access.patience:PatientProtocol', '--ws-per-message-deflate', 'false', '--ws-max-size', '21000000', '--no-access-log', '--timeout-graceful-shutdown', '10']
          env: env
          resources: { cpu: json('1.0'), memory: '2Gi' }
          probes: [
            { type: 'Startup', httpGet: { path: '/stream/health?probe=live', port: 8000, httpHeaders: asOurs }, periodSeconds: 2, failureThreshold: 30 }
            { type: 'Liveness', httpGet: { path: '/stream/health?probe=live', port: 8000, httpHeaders: asOurs }, periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 }
            { type: 'Readiness', httpGet: { path: '/stream/health', port: 8000, httpHeaders: asOurs }, periodSeconds: 5, timeoutSeconds: 4, failureThreshold: 2 }
          ]
        }
      ]
      scale: {
        minReplicas: 2
        maxReplicas: 10
        rules: [{ name: 'streams', http: { metadata: { concurrentRequests: '400' } } }] // an open stream is a request
      }
    }
  }
}

resource worker 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'wellintake-worker'
  location: location
  identity: identity
  properties: {
    managedEnvironmentId: apps.id
    configuration: { activeRevisionsMode: 'Single', maxInactiveRevisions: 5, secrets: secrets, registries: registries }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'worker'
          image: image
          command: ['python', 'manage.py', 'worker']
          args: ['--metrics-port', '9100']
          env: env
          resources: { cpu: json('1.0'), memory: '2Gi' }
          probes: [{ type: 'Liveness', tcpSocket: { port: 9100 }, initialDelaySeconds: 20, periodSeconds: 10 }]
        }
      ]
      scale: {
        minReplicas: 2
        maxReplicas: 10
        rules: [
          {
            name: 'runs'
            custom: {
              type: 'postgresql'
              metadata: {
                query: 'SELECT COUNT(*) FROM streaming_run WHERE NOT closed AND state IN (\'queued\', \'extracting\', \'saving\', \'undoing\')'
                targetQueryValue: '100' // runs a worker; it holds 250
              }
              auth: [{ secretRef: 'database-url', triggerParameter: 'connection' }]
            }
          }
        ]
      }
    }
  }
}

// Started by hand, before a new image is served: az containerapp job start -n wellintake-migrate -g GROUP
resource migrate 'Microsoft.App/jobs@2024-03-01' = {
  name: 'wellintake-migrate'
  location: location
  identity: identity
  properties: {
    environmentId: apps.id
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 1800
      replicaRetryLimit: 0
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
      secrets: secrets
      registries: registries
    }
    template: {
      containers: [
        {
          name: 'migrate'
          image: image
          command: ['python', 'manage.py', 'migrate']
          env: env
          resources: { cpu: json('0.5'), memory: '1Gi' }
        }
      ]
    }
  }
}

output address string = 'https://${web.properties.configuration.ingress.fqdn}'
