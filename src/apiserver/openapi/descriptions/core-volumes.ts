/** Volumes, claims, and the drivers of both, in core/v1. */
export const CORE_VOLUMES: string = `
*
 fsType: File system to mount, such as ext4.
 readOnly: Nothing can be written.
 secretRef: Secret with the credentials.
 defaultMode: Permissions of the files, such as 0644 or 420; 0644 unless given.
 volumeID: Id of the volume at its provider.
 partition: Partition of the disk; 0 for the whole.
 monitors: Addresses of the Ceph monitors.
 gcePersistentDisk: A disk of Google Compute Engine.
 awsElasticBlockStore: A disk of Amazon Elastic Block Store.
 hostPath: A file or directory of the node.
 nfs: A directory of an NFS server.
 iscsi: A disk reached by iSCSI.
 glusterfs: A Gluster volume.
 rbd: A Ceph block device.
 flexVolume: A volume of a FlexVolume driver.
 cinder: A disk of OpenStack Cinder.
 cephfs: A Ceph file system.
 flocker: A Flocker dataset.
 fc: A disk reached by Fibre Channel.
 azureFile: A share of Azure Files.
 vsphereVolume: A virtual disk of vSphere.
 quobyte: A Quobyte volume.
 azureDisk: A disk of Azure.
 photonPersistentDisk: A disk of Photon Controller.
 portworxVolume: A Portworx volume.
 scaleIO: A ScaleIO volume.
 storageos: A StorageOS volume.
 csi: A volume of a CSI driver.
Volume: Storage that containers of the pod can mount.
 name: Unique within the pod; mounts refer to it.
 emptyDir: An empty directory that lives as long as the pod.
 gitRepo: A clone of a Git repository; deprecated.
 secret: The entries of a Secret as files.
 persistentVolumeClaim: The volume bound to a claim.
 downwardAPI: Fields of the pod as files.
 configMap: The entries of a ConfigMap as files.
 projected: Several of secret, configMap, downwardAPI and tokens in one directory.
 ephemeral: A volume with a claim of its own that lives as long as the pod.
 image: The files of an image.
VolumeSource < Volume: What a volume is; one of these.
PersistentVolumeSource: What a persistent volume is; one of these.
 local: A disk or directory of one node.
PersistentVolume: A piece of storage.
 spec: What it is and how it may be used.
 status: Whether it is in use.
PersistentVolumeSpec < PersistentVolumeSource: What a volume is and how it may be used.
 capacity: Its size, as storage.
 accessModes: ReadWriteOnce, ReadOnlyMany, ReadWriteMany and ReadWriteOncePod, as far as it can.
 claimRef: The claim that it is bound to.
 persistentVolumeReclaimPolicy: What happens after its claim is gone: Retain, Delete or Recycle.
 storageClassName: Class that it belongs to.
 mountOptions: Options for mounting; not checked.
 volumeMode: Filesystem (default) or Block.
 nodeAffinity: Nodes from which it can be reached.
 volumeAttributesClassName: Class of its changeable attributes.
PersistentVolumeStatus: Whether a volume is in use.
 phase: Pending, Available, Bound, Released or Failed.
 message: Why it is in this phase, for people.
 reason: Why it failed, in one word.
 lastPhaseTransitionTime: Since when it is in this phase.
VolumeNodeAffinity: Nodes from which a volume can be reached.
 required: Must hold for the node.
PersistentVolumeClaim: A wish for storage, bound to a volume that meets it.
 spec: What is wished for.
 status: What there is.
PersistentVolumeClaimTemplate: A claim to be made.
 spec: What is wished for.
PersistentVolumeClaimSpec: What storage is wished for.
 accessModes: How the volume must be usable.
 selector: Volumes to choose from, by their labels.
 resources: The least size, as requests.storage.
 volumeName: The volume that it is bound to.
 storageClassName: Class to take; the default class unless given, none for "".
 volumeMode: Filesystem (default) or Block.
 dataSource: Snapshot or claim to copy from.
 dataSourceRef: Any object to fill the volume from.
 volumeAttributesClassName: Class of the volume's changeable attributes.
PersistentVolumeClaimStatus: What a claim got.
 phase: Pending, Bound or Lost.
 accessModes: How the volume is usable.
 capacity: Its size.
 conditions: Whether it is being resized or modified.
 allocatedResources: Size set apart while it grows.
 allocatedResourceStatuses: How far its growth is.
 currentVolumeAttributesClassName: Class whose attributes it has.
 modifyVolumeStatus: State of a change of the class.
PersistentVolumeClaimCondition: A statement about a claim.
 lastProbeTime: When it was last checked.
ModifyVolumeStatus: State of a change of attributes.
 targetVolumeAttributesClassName: Class that is wanted.
 status: Pending, InProgress or Infeasible.
VolumeResourceRequirements: Size of a volume.
 limits: The most it may have.
 requests: The least it must have.
PersistentVolumeClaimVolumeSource: The volume bound to a claim.
 claimName: The claim, in the pod's namespace.
TypedLocalObjectReference: An object of the same namespace.
 kind: Its kind.
 name: Its name.
TypedObjectReference: An object.
 kind: Its kind.
 name: Its name.
 namespace: Its namespace; the same unless given.
SecretReference: A Secret.
 name: Its name.
 namespace: Its namespace.
HostPathVolumeSource: A file or directory of the node.
 path: Path on the node.
 type: What must be there, or is made: DirectoryOrCreate, Directory, FileOrCreate, File, Socket,
  CharDevice or BlockDevice; not checked unless given.
EmptyDirVolumeSource: An empty directory that lives as long as the pod.
 medium: "" for the node's disk, Memory for RAM.
 sizeLimit: The pod is evicted when more is stored.
SecretVolumeSource: The entries of a Secret as files.
 secretName: The Secret.
 items: Entries to take, each with its path; all unless given.
ConfigMapVolumeSource: The entries of a ConfigMap as files.
 name: The ConfigMap.
 items: Entries to take, each with its path; all unless given.
DownwardAPIVolumeSource: Fields of the pod as files.
 items: The files.
DownwardAPIVolumeFile: A field of the pod as a file.
 path: Path of the file, relative and without "..".
 fieldRef: A field of the pod.
 resourceFieldRef: A resource of a container.
 mode: Permissions of the file; defaultMode unless given.
ProjectedVolumeSource: Several sources in one directory.
 sources: What to put there.
VolumeProjection: A part of a projected volume; one of these.
 secret: Entries of a Secret.
 downwardAPI: Fields of the pod.
 configMap: Entries of a ConfigMap.
 serviceAccountToken: A token of the pod's service account.
 clusterTrustBundle: Certificates of authorities.
SecretProjection: Entries of a Secret.
 name: The Secret.
 items: Entries to take, each with its path; all unless given.
ConfigMapProjection: Entries of a ConfigMap.
 name: The ConfigMap.
 items: Entries to take, each with its path; all unless given.
DownwardAPIProjection: Fields of the pod.
 items: The files.
ServiceAccountTokenProjection: A token of the pod's service account.
 audience: Who is to accept it; the API server unless given.
 expirationSeconds: How long it is valid; 3600 unless given. It is renewed in time.
 path: Path of the file.
ClusterTrustBundleProjection: Certificates of authorities.
 name: One bundle.
 signerName: All bundles of a signer.
 labelSelector: Bundles of the signer to take.
 path: Path of the file.
KeyToPath: An entry and where it appears.
 key: The entry.
 path: Path of the file, relative and without "..".
 mode: Permissions of the file; defaultMode unless given.
EphemeralVolumeSource: A volume that lives as long as the pod.
 volumeClaimTemplate: The claim that is made for it.
ImageVolumeSource: The files of an image.
 reference: Reference of the image.
 pullPolicy: When to ask the registry: Always, IfNotPresent or Never.
GitRepoVolumeSource: A clone of a Git repository; deprecated.
 repository: Its address.
 revision: Commit to check out.
 directory: Directory to clone into.
LocalVolumeSource: A disk or directory of one node.
 path: Path on the node.
NFSVolumeSource: A directory of an NFS server.
 server: Name or address of the server.
 path: Directory that it exports.
ISCSIVolumeSource: A disk reached by iSCSI.
 targetPortal: Address and port of the target.
 iqn: Name of the target.
 lun: Number of the disk at the target.
 iscsiInterface: Interface to use; default.
 portals: Further addresses of the target.
 chapAuthDiscovery: Authenticate when looking for targets.
 chapAuthSession: Authenticate when connecting.
 initiatorName: Name to go by.
ISCSIPersistentVolumeSource < ISCSIVolumeSource: A disk reached by iSCSI.
FCVolumeSource: A disk reached by Fibre Channel.
 targetWWNs: World-wide names of the target.
 lun: Number of the disk at the target.
 wwids: World-wide ids of the disk.
RBDVolumeSource: A Ceph block device.
 image: Name of the image.
 pool: Pool that holds it; rbd.
 user: User to act as; admin.
 keyring: File with the user's key.
RBDPersistentVolumeSource < RBDVolumeSource: A Ceph block device.
CephFSVolumeSource: A Ceph file system.
 path: Directory to mount; /.
 user: User to act as; admin.
 secretFile: File with the user's key.
CephFSPersistentVolumeSource < CephFSVolumeSource: A Ceph file system.
CinderVolumeSource: A disk of OpenStack Cinder.
CinderPersistentVolumeSource: A disk of OpenStack Cinder.
GlusterfsVolumeSource: A Gluster volume.
 endpoints: Endpoints object with the servers.
 path: Name of the volume.
GlusterfsPersistentVolumeSource < GlusterfsVolumeSource: A Gluster volume.
 endpointsNamespace: Namespace of the endpoints; the claim's unless given.
FlockerVolumeSource: A Flocker dataset.
 datasetName: Its name; deprecated.
 datasetUUID: Its id.
GCEPersistentDiskVolumeSource: A disk of Google Compute Engine.
 pdName: Its name.
AWSElasticBlockStoreVolumeSource: A disk of Amazon Elastic Block Store.
AzureDiskVolumeSource: A disk of Azure.
 diskName: Its name.
 diskURI: Its address.
 cachingMode: None, ReadOnly or ReadWrite.
 kind: Shared, Dedicated or Managed.
AzureFileVolumeSource: A share of Azure Files.
 secretName: Secret with the account and key.
 shareName: Name of the share.
AzureFilePersistentVolumeSource < AzureFileVolumeSource: A share of Azure Files.
 secretNamespace: Namespace of the Secret; the claim's unless given.
VsphereVirtualDiskVolumeSource: A virtual disk of vSphere.
 volumePath: Its path.
 storagePolicyName: Name of the storage policy.
 storagePolicyID: Id of the storage policy.
PhotonPersistentDiskVolumeSource: A disk of Photon Controller.
 pdID: Its id.
PortworxVolumeSource: A Portworx volume.
QuobyteVolumeSource: A Quobyte volume.
 registry: Addresses of the registries.
 volume: Its name.
 user: User to act as.
 group: Group to act as.
 tenant: Tenant that owns it.
ScaleIOVolumeSource: A ScaleIO volume.
 gateway: Address of the gateway.
 system: Name of the storage system.
 sslEnabled: Speak to the gateway over TLS.
 protectionDomain: Its protection domain.
 storagePool: Its pool.
 storageMode: ThickProvisioned or ThinProvisioned (default).
 volumeName: Its name.
ScaleIOPersistentVolumeSource < ScaleIOVolumeSource: A ScaleIO volume.
StorageOSVolumeSource: A StorageOS volume.
 volumeName: Its name.
 volumeNamespace: Its namespace at StorageOS.
StorageOSPersistentVolumeSource < StorageOSVolumeSource: A StorageOS volume.
FlexVolumeSource: A volume of a FlexVolume driver.
 driver: The driver.
 options: Options for the driver.
FlexPersistentVolumeSource < FlexVolumeSource: A volume of a FlexVolume driver.
CSIVolumeSource: A volume that a CSI driver makes for the pod.
 driver: The driver.
 volumeAttributes: Settings for the driver.
 nodePublishSecretRef: Secret for mounting it.
CSIPersistentVolumeSource: A volume of a CSI driver.
 driver: The driver.
 volumeHandle: Id of the volume at the driver.
 volumeAttributes: Settings for the driver.
 controllerPublishSecretRef: Secret for attaching it to a node.
 nodeStageSecretRef: Secret for preparing it on a node.
 nodePublishSecretRef: Secret for mounting it.
 controllerExpandSecretRef: Secret for growing it.
 nodeExpandSecretRef: Secret for growing its file system.
TopologySelectorTerm: Places by labels of nodes.
 matchLabelExpressions: All of these must hold.
TopologySelectorLabelRequirement: Values that a label may have.
 key: The label.
 values: One of these.
AttachedVolume: A volume that is attached to a node.
 name: The volume.
 devicePath: Path of its device.
`;
