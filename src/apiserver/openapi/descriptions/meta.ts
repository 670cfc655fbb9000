/** What every kind is made of, and the kinds of meta/v1. */
export const META: string = `
*
 group: Group of the API; empty for the core group.
 version: Version within the group.
 resource: Plural name, such as pods.
 dryRun: All goes through every step but stores nothing.
 fieldManager: Name under which managedFields record the change.
 fieldValidation: Ignore, Warn or Strict: what unknown and repeated fields lead to.
 key: The label.
 operator: In, NotIn, Exists or DoesNotExist.
 values: For In and NotIn at least one, for the others none.
ObjectMeta: What every object carries beside its contents.
 name: Unique within the namespace and kind; cannot change.
 generateName: Beginning of a name that the server completes when name is empty.
 namespace: The namespace that holds the object; cannot change.
 selfLink: Not used any more.
 uid: Unique in time and space; set by the server.
 resourceVersion: Changes with every write; set by the server. Opaque to clients.
 generation: Grows with every change of what is wanted; set by the server.
 creationTimestamp: CreationTimestamp is a timestamp of the object's creation; set by the server.
 deletionTimestamp: When the object is to be gone; set by the server once it is being deleted.
 deletionGracePeriodSeconds: Seconds from the request to deletionTimestamp; set by the server.
 labels: Keys and values to select objects by.
 annotations: Keys and values for tools.
 ownerReferences: Objects with which this one goes away.
 finalizers: Names of those who must let go before the object is gone.
 managedFields: Who set which field; kept by the server.
ListMeta: What every list carries beside its items.
 selfLink: Not used any more.
 resourceVersion: The state that the list shows; a watch can go on from it.
 continue: Ask with this for what follows; empty at the end.
 remainingItemCount: How many follow, where it is known.
OwnerReference: An object with which another goes away.
 apiVersion: Its API version.
 kind: Its kind.
 name: Its name.
 uid: Its unique id.
 controller: It is the one that runs the object.
 blockOwnerDeletion: A foreground deletion of it waits for the object.
ManagedFieldsEntry: Fields that a manager set.
 manager: Who.
 operation: Apply or Update.
 apiVersion: Version in which the fields are meant.
 time: When.
 fieldsType: FieldsV1.
 fieldsV1: The fields, as a tree of names.
 subresource: Subresource through which they were set.
ListOptions: What to list or watch, and how.
 labelSelector: Only objects with such labels.
 fieldSelector: Only objects with such fields.
 watch: Send changes as they happen.
 allowWatchBookmarks: Also send the state reached when nothing changed.
 resourceVersion: From which state on.
 resourceVersionMatch: NotOlderThan or Exact.
 timeoutSeconds: When to end.
 limit: How many at a time.
 continue: From the list before.
 sendInitialEvents: Begin a watch with what there is.
GetOptions: How to read an object.
 resourceVersion: Not older than this state.
DeleteOptions: How to delete an object.
 gracePeriodSeconds: Time to stop; 0 at once. The kind's own unless given.
 preconditions: What must hold.
 orphanDependents: Older form of propagationPolicy.
 propagationPolicy: Background, Foreground or Orphan: what happens to objects that it owns.
 ignoreStoreReadErrorWithClusterBreakingPotential: Delete even what cannot be read.
CreateOptions: How to create an object.
PatchOptions: How to patch an object.
 force: Take fields over from other managers.
ApplyOptions: How to apply an object.
 force: Take fields over from other managers.
UpdateOptions: How to update an object.
Preconditions: What must hold for a deletion.
 uid: Unique id that the object must have.
 resourceVersion: State that it must be in.
LabelSelector: Objects by their labels; an empty one means all.
 matchLabels: Labels that they must have.
 matchExpressions: Requirements that must all hold.
LabelSelectorRequirement: A requirement of a label.
FieldSelectorRequirement: A requirement of a field.
 key: The field.
Condition: A statement about an object.
Status: The answer to a request that gives no object.
 status: Success or Failure.
 message: What happened, for people.
 reason: What happened, in one word.
 details: What it is about.
 code: Code of the HTTP answer.
StatusDetails: What an answer is about.
 name: Name of the object.
 group: Group of the object.
 kind: Kind of the object.
 uid: Unique id of the object.
 causes: What is wrong, one by one.
 retryAfterSeconds: When to try again.
StatusCause: One thing that is wrong.
 reason: What, in one word.
 message: What, for people.
 field: Path of the field.
APIVersions: Versions of the core group.
 versions: The versions.
 serverAddressByClientCIDRs: Which client should use which address.
APIGroup: A group of the API.
 name: Its name.
 versions: Its versions.
 preferredVersion: The one to use.
 serverAddressByClientCIDRs: Which client should use which address.
APIGroupList: The groups of the API.
 groups: The groups.
APIResource: A resource of the API.
 name: Plural name.
 singularName: Singular name.
 namespaced: Its objects are in namespaces.
 kind: Kind of its objects.
 verbs: What can be done.
 shortNames: Short names.
 categories: Groups of resources that it belongs to, such as all.
 storageVersionHash: Changes with the version that is stored.
APIResourceList: The resources of a group and version.
 groupVersion: Group and version.
 resources: The resources.
ServerAddressByClientCIDR: Which client should use which address.
 clientCIDR: Network of the client.
 serverAddress: Address of the server.
GroupVersionForDiscovery: A version of a group.
 groupVersion: Group and version.
GroupResource: A resource.
GroupVersionResource: A resource in a version.
GroupKind: A kind.
GroupVersionKind: A kind in a version.
GroupVersion: A version of a group.
RootPaths: Paths of the server.
 paths: The paths.
Table: Objects as rows of text.
 columnDefinitions: The columns.
 rows: The rows.
TableColumnDefinition: A column.
 name: Its title.
 type: integer, number, string, boolean or date.
 format: More about the type.
 description: What it shows.
 priority: Columns above 0 are shown on request.
TableRow: A row.
 cells: What it shows.
 conditions: What holds for it.
 object: The object, or its metadata.
TableRowCondition: A statement about a row.
TableOptions: How to make a table.
 includeObject: None, Metadata or Object.
PartialObjectMetadata: An object without its contents.
WatchEvent: A change.
 type: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.
 object: The object after it.
`;
