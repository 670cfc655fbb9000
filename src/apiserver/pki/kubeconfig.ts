/** What a kubeconfig says; names of user and context follow `clusterName`. */
export interface KubeconfigFields {
  /** "https://127.0.0.1:6443". */
  server: string;
  caPem: string;
  certPem: string;
  keyPem: string;
  clusterName: string;
  userName?: string;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** A kubeconfig with one cluster, one user and one context; holds the private key. */
export function kubeconfigFor(fields: KubeconfigFields): string {
  const { server, caPem, certPem, keyPem, clusterName, userName = "admin" } = fields;
  const context = `${userName}@${clusterName}`;
  return `apiVersion: v1
kind: Config
clusters:
- name: ${JSON.stringify(clusterName)}
  cluster:
    server: ${JSON.stringify(server)}
    certificate-authority-data: ${base64(caPem)}
users:
- name: ${JSON.stringify(userName)}
  user:
    client-certificate-data: ${base64(certPem)}
    client-key-data: ${base64(keyPem)}
contexts:
- name: ${JSON.stringify(context)}
  context:
    cluster: ${JSON.stringify(clusterName)}
    user: ${JSON.stringify(userName)}
current-context: ${JSON.stringify(context)}
preferences: {}
`;
}
