/** Who may do what, and how the API is extended. */
export const AUTHENTICATION: string = `
*
 audiences: Who is to accept the token; the API server unless given.
TokenReview: Asks whose token it is.
 spec: The token.
 status: Whose it is.
TokenReviewSpec: A token to check.
 token: The token.
TokenReviewStatus: Whose a token is.
 authenticated: It is valid.
 user: Whose it is.
 audiences: Audiences that it is valid for.
 error: Why it could not be checked.
UserInfo: Who makes a request.
 username: Name.
 uid: Unique id.
 groups: Groups.
 extra: More about the user.
TokenRequest: Asks for a token of a service account.
 spec: What token.
 status: The token.
TokenRequestSpec: What token is asked for.
 expirationSeconds: How long it is to be valid; 3600.
 boundObjectRef: It is valid only as long as this object exists.
TokenRequestStatus: A token.
 token: The token.
 expirationTimestamp: Until when it is valid.
BoundObjectReference: Object that a token is bound to.
 kind: Pod, Secret or Node.
 apiVersion: Its API version.
 name: Its name.
 uid: Its unique id.
SelfSubjectReview: Asks who makes the request.
 status: The answer.
SelfSubjectReviewStatus: Who makes the request.
 userInfo: Who.
`;

export const AUTHORIZATION: string = `
*
 resourceAttributes: Access to a resource.
 nonResourceAttributes: Access to a path.
 spec: The question.
 status: The answer.
 verbs: What may be done; * for all.
 evaluationError: What went wrong while finding out.
SubjectAccessReview: Asks whether a user may do something.
SelfSubjectAccessReview: Asks whether whoever asks may do something.
LocalSubjectAccessReview: Asks whether a user may do something within a namespace.
ResourceAttributes: Access to a resource.
 namespace: Namespace; empty for all or none.
 verb: Such as get; * for all.
 group: Group of the resource; * for all.
 version: Version of the resource; * for all.
 resource: Plural name; * for all.
 subresource: Such as status.
 name: Name of the object; empty for all.
 fieldSelector: Only objects with such fields.
 labelSelector: Only objects with such labels.
LabelSelectorAttributes: Objects by their labels.
 rawSelector: As in a request.
 requirements: One by one.
FieldSelectorAttributes: Objects by their fields.
 rawSelector: As in a request.
 requirements: One by one.
NonResourceAttributes: Access to a path.
 path: The path.
 verb: Method of HTTP in small letters.
SubjectAccessReviewSpec: Who, and what.
 user: The user.
 groups: The user's groups.
 extra: More about the user.
 uid: The user's unique id.
SelfSubjectAccessReviewSpec: What.
SubjectAccessReviewStatus: Whether it is allowed.
 allowed: It is.
 denied: It is expressly not.
 reason: Why.
SelfSubjectRulesReview: Asks what whoever asks may do in a namespace.
SelfSubjectRulesReviewSpec: Where.
 namespace: The namespace.
SubjectRulesReviewStatus: What may be done.
 resourceRules: With resources.
 nonResourceRules: With paths.
 incomplete: There may be more.
ResourceRule: What may be done with resources.
 apiGroups: Groups; * for all.
 resources: Plural names; * for all.
 resourceNames: Names of objects; all unless given.
NonResourceRule: What may be done with paths.
 nonResourceURLs: Paths; * at the end for all below.
`;

export const CERTIFICATES: string = `
CertificateSigningRequest: Asks for a certificate.
 spec: What certificate, and who asks.
 status: Whether it was approved, and the certificate.
CertificateSigningRequestSpec: What certificate, and who asks.
 request: PKCS #10 request in PEM.
 signerName: Who is to sign, such as kubernetes.io/kube-apiserver-client.
 expirationSeconds: How long it is to be valid; at least 600. The signer may give less.
 usages: What the key may be used for.
 username: Who asks; set by the server.
 uid: Unique id of who asks; set by the server.
 groups: Groups of who asks; set by the server.
 extra: More about who asks; set by the server.
CertificateSigningRequestStatus: What became of a request.
 conditions: Approved, Denied or Failed.
 certificate: The certificate in PEM, with those that lead to the authority.
CertificateSigningRequestCondition: A statement about a request.
 lastUpdateTime: When it was last written.
`;

export const ADMISSION: string = `
*
 uid: Unique id of the question.
AdmissionReview: Asks a webhook about a request.
 request: The request.
 response: The answer.
AdmissionRequest: A request to the API.
 kind: Kind of the object.
 resource: Resource that was asked for.
 subResource: Subresource, if any.
 requestKind: Kind as the client wrote it.
 requestResource: Resource as the client wrote it.
 requestSubResource: Subresource as the client wrote it.
 name: Name of the object.
 namespace: Namespace of the object.
 operation: CREATE, UPDATE, DELETE or CONNECT.
 userInfo: Who makes the request.
 object: The object as it is to be.
 oldObject: The object as it is.
 dryRun: Nothing is stored.
 options: Options of the operation.
AdmissionResponse: Answer of a webhook.
 allowed: The request may go on.
 status: Why not.
 patch: JSON patch to the object.
 patchType: JSONPatch.
 auditAnnotations: To add to the audit log.
 warnings: To show to the client.
`;

export const ADMISSION_REGISTRATION: string = `
*
 apiGroups: Groups of the resources; * for all.
 apiVersions: Versions of the resources; * for all.
 resources: Such as pods, pods/log, pods/* or */*.
 scope: Cluster, Namespaced or * (default).
 operations: CREATE, UPDATE, DELETE, CONNECT; * for all.
 failurePolicy: Fail (default) or Ignore: what an error leads to.
 matchPolicy: Equivalent (default) also takes other versions of the resource, Exact does not.
 namespaceSelector: Only objects in namespaces with such labels.
 objectSelector: Only objects with such labels.
 matchConditions: CEL expressions that must all be true.
 observedGeneration: The generation that this status is about.
Rule: Resources.
RuleWithOperations: Operations with resources.
NamedRuleWithOperations: Operations with named resources.
 resourceNames: Names of objects; all unless given.
ValidatingAdmissionPolicy: Rules in CEL that requests must pass.
 spec: The rules.
 status: Whether they make sense.
ValidatingAdmissionPolicySpec: Rules, and what they are about.
 paramKind: Kind of the objects with parameters.
 matchConstraints: Requests that it is about.
 validations: The rules.
 auditAnnotations: To add to the audit log.
 variables: Named expressions for use in the others.
ValidatingAdmissionPolicyStatus: Whether rules make sense.
 typeChecking: What the types of the expressions say.
 conditions: What holds for it at present.
TypeChecking: What the types of expressions say.
 expressionWarnings: Doubtful expressions.
ExpressionWarning: A doubtful expression.
 fieldRef: Path of the expression.
 warning: What is doubtful.
ParamKind: A kind of objects with parameters.
 apiVersion: Its API version.
 kind: Its kind.
Validation: A rule.
 expression: CEL expression that must be true.
 message: What to say when it is not.
 reason: Reason to give, such as Invalid (default) or Forbidden.
 messageExpression: CEL expression that makes the message.
Variable: A named expression.
 name: Used as variables.NAME.
 expression: CEL expression.
AuditAnnotation: An entry of the audit log.
 key: Its key.
 valueExpression: CEL expression that makes its value.
MatchCondition: A condition.
 name: Its name.
 expression: CEL expression that must be true.
ValidatingAdmissionPolicyBinding: Puts a policy in force.
 spec: Which policy, where, and with which parameters.
ValidatingAdmissionPolicyBindingSpec: Which policy, where, and with which parameters.
 policyName: The policy.
 paramRef: Its parameters.
 matchResources: Where it is in force, within what the policy is about.
 validationActions: Deny, Warn and Audit: what a failed rule leads to.
ParamRef: Objects with parameters.
 name: One object.
 namespace: Its namespace; that of the request unless given.
 selector: Objects by their labels.
 parameterNotFoundAction: Allow or Deny, when there is none.
MatchResources: Requests.
 resourceRules: Any of these.
 excludeResourceRules: None of these.
ValidatingWebhookConfiguration: Webhooks that may refuse requests.
 webhooks: The webhooks.
MutatingWebhookConfiguration: Webhooks that may change objects.
 webhooks: The webhooks.
ValidatingWebhook: A webhook that may refuse requests.
 name: A full name, such as check.example.com.
 clientConfig: Where it is.
 rules: Requests that it is asked about.
 sideEffects: None or NoneOnDryRun.
 timeoutSeconds: How long to wait, 1 to 30; 10.
 admissionReviewVersions: Versions of AdmissionReview that it knows, the best first.
MutatingWebhook < ValidatingWebhook: A webhook that may change objects.
 reinvocationPolicy: Never (default), or IfNeeded to ask again after others changed the object.
WebhookClientConfig: Where a webhook is: an address or a service.
 url: Its address, beginning with https://.
 service: Its service.
 caBundle: Authorities that its certificate may come from, in PEM; the system's unless given.
ServiceReference: A service.
 namespace: Its namespace.
 name: Its name.
 path: Path to ask for.
 port: Port of the service; 443.
`;

export const API_EXTENSIONS: string = `
*
 description: What it is about, for people.
CustomResourceDefinition: Adds a kind to the API.
 spec: The kind.
 status: Whether it is served.
CustomResourceDefinitionSpec: A kind.
 group: Its group.
 names: Its names.
 scope: Cluster or Namespaced.
 versions: Its versions; one of them is stored.
 conversion: How objects get from version to version.
 preserveUnknownFields: Must be false.
CustomResourceConversion: How objects get from version to version.
 strategy: None changes only apiVersion, Webhook asks a webhook.
 webhook: The webhook.
WebhookConversion: A webhook that converts objects.
 clientConfig: Where it is.
 conversionReviewVersions: Versions of ConversionReview that it knows, the best first.
WebhookClientConfig: Where a webhook is: an address or a service.
 url: Its address, beginning with https://.
 service: Its service.
 caBundle: Authorities that its certificate may come from, in PEM; the system's unless given.
ServiceReference: A service.
 namespace: Its namespace.
 name: Its name.
 path: Path to ask for.
 port: Port of the service; 443.
CustomResourceDefinitionVersion: A version of a kind.
 name: Such as v1 or v1beta1.
 served: Clients can use it.
 storage: Objects are stored in it; exactly one version is.
 deprecated: Clients that use it are warned.
 deprecationWarning: The warning, in place of the usual one.
 schema: What objects look like.
 subresources: status and scale.
 additionalPrinterColumns: Columns of tables; the age unless given.
 selectableFields: Fields that field selectors may name.
SelectableField: A field that field selectors may name.
 jsonPath: Path such as .spec.color.
CustomResourceColumnDefinition: A column of tables.
 name: Its title.
 type: integer, number, string, boolean or date.
 format: More about the type.
 priority: Columns above 0 are shown on request.
 jsonPath: Path of what it shows.
CustomResourceDefinitionNames: Names of a kind.
 plural: Name in paths, in small letters.
 singular: Name for one, in small letters.
 shortNames: Short names.
 kind: Name in objects.
 listKind: Kind of lists; KINDList unless given.
 categories: Groups of resources that it belongs to, such as all.
CustomResourceDefinitionCondition: A statement about a definition.
CustomResourceDefinitionStatus: Whether a kind is served.
 conditions: NamesAccepted, Established and so on.
 acceptedNames: Names in use.
 storedVersions: Versions in which objects may be stored.
CustomResourceValidation: What objects look like.
 openAPIV3Schema: The schema.
CustomResourceSubresources: Subresources of a kind.
 status: Spec and status are written apart.
 scale: The number of replicas can be read and written.
CustomResourceSubresourceStatus: Spec and status are written apart.
CustomResourceSubresourceScale: Where the numbers of replicas are.
 specReplicasPath: Path of the number wanted, such as .spec.replicas.
 statusReplicasPath: Path of the number there is.
 labelSelectorPath: Path of the selector, as text.
ConversionReview: Asks a webhook to convert objects.
 request: The objects.
 response: The converted objects.
ConversionRequest: Objects to convert.
 uid: Unique id of the question.
 desiredAPIVersion: Version to convert to.
 objects: The objects.
ConversionResponse: Converted objects.
 uid: Unique id of the question.
 convertedObjects: The objects, in their order.
 result: Whether it worked.
JSONSchemaProps: What a value looks like.
 id: Address of the schema.
 $schema: Not allowed.
 $ref: Not allowed.
 type: object, array, string, integer, number or boolean.
 format: More about the type, such as int64 or date-time.
 title: A name.
 default: Set when nothing is given.
 maximum: The greatest number.
 exclusiveMaximum: The number must be less than maximum.
 minimum: The least number.
 exclusiveMinimum: The number must be more than minimum.
 maxLength: The most characters.
 minLength: The fewest characters.
 pattern: Regular expression that a text must match.
 maxItems: The most items.
 minItems: The fewest items.
 uniqueItems: Not allowed to be true.
 multipleOf: The number is a multiple of this.
 enum: Values allowed.
 maxProperties: The most properties.
 minProperties: The fewest properties.
 required: Properties that must be there.
 items: What each item looks like.
 allOf: All of these hold.
 oneOf: Exactly one of these holds.
 anyOf: At least one of these holds.
 not: This does not hold.
 properties: What each property looks like.
 additionalProperties: What properties without a name here look like.
 patternProperties: Not allowed.
 dependencies: Not allowed.
 additionalItems: Not allowed.
 definitions: Not allowed.
 externalDocs: Where to read more.
 example: An example.
 nullable: null is allowed.
 x-kubernetes-preserve-unknown-fields: Fields without a schema are kept.
 x-kubernetes-embedded-resource: The value is an object with apiVersion, kind and metadata.
 x-kubernetes-int-or-string: The value is a whole number or text.
 x-kubernetes-list-map-keys: Fields that tell the items of a map list apart.
 x-kubernetes-list-type: atomic (default), set or map: how a list is merged.
 x-kubernetes-map-type: granular (default) or atomic: how an object is merged.
 x-kubernetes-validations: Rules in CEL.
ValidationRule: A rule in CEL.
 rule: Expression that must be true; self is the value.
 message: What to say when it is not.
 messageExpression: Expression that makes the message.
 reason: FieldValueInvalid (default), FieldValueForbidden, FieldValueRequired, FieldValueDuplicate.
 fieldPath: Field to blame.
 optionalOldSelf: The rule also holds where there is no old value.
ExternalDocumentation: Where to read more.
 url: Its address.
`;

export const API_REGISTRATION: string = `
APIService: Serves a group and version by another server.
 spec: Which, and where.
 status: Whether it can be reached.
APIServiceSpec: Which group and version, and where.
 service: The server; this one unless given.
 group: The group.
 version: The version.
 insecureSkipTLSVerify: Do not check its certificate.
 caBundle: Authorities that its certificate may come from, in PEM; the system's unless given.
 groupPriorityMinimum: Groups with more come first in discovery; at most 20000.
 versionPriority: Versions with more come first in their group; at most 1000.
APIServiceStatus: Whether a server can be reached.
 conditions: Available.
APIServiceCondition: A statement about a server.
ServiceReference: A service.
 namespace: Its namespace.
 name: Its name.
 port: Port of the service; 443.
`;

export const API_DISCOVERY: string = `
*
 verbs: What can be done.
 responseKind: Kind of the answers.
APIGroupDiscovery: A group of the API with all that is in it.
 versions: Its versions, the best first.
APIVersionDiscovery: A version of a group.
 version: Its name.
 resources: Its resources.
 freshness: Current, or Stale when its server could not be asked.
APIResourceDiscovery: A resource.
 resource: Plural name.
 scope: Cluster or Namespaced.
 singularResource: Singular name.
 shortNames: Short names.
 categories: Groups of resources that it belongs to, such as all.
 subresources: Its subresources.
APISubresourceDiscovery: A subresource.
 subresource: Its name.
 acceptedTypes: Kinds that can be sent to it.
`;

export const FLOW_CONTROL: string = `
*
 verbs: What is done; * for all.
FlowSchema: Tells which requests belong together and how urgent they are.
 spec: Which requests.
 status: Whether it makes sense.
FlowSchemaSpec: Which requests, and how urgent.
 priorityLevelConfiguration: Their priority level.
 matchingPrecedence: The schema with the least number that fits counts, 1 to 10000.
 distinguisherMethod: What sets flows apart.
 rules: Any of these.
FlowDistinguisherMethod: What sets flows apart.
 type: ByUser or ByNamespace.
PriorityLevelConfigurationReference: A priority level.
 name: Its name.
PolicyRulesWithSubjects: Requests: who, and what.
 subjects: Who.
 resourceRules: Access to resources.
 nonResourceRules: Access to paths.
Subject: Who: a user, a group or a service account.
 kind: User, Group or ServiceAccount.
 user: The user.
 group: The group.
 serviceAccount: The service account.
UserSubject: A user.
 name: Name; * for all.
GroupSubject: A group.
 name: Name; * for all.
ServiceAccountSubject: A service account.
 namespace: Its namespace.
 name: Its name; * for all.
ResourcePolicyRule: Access to resources.
 apiGroups: Groups; * for all.
 resources: Plural names; * for all.
 clusterScope: Also requests without a namespace.
 namespaces: Namespaces; * for all.
NonResourcePolicyRule: Access to paths.
 nonResourceURLs: Paths; * at the end for all below.
FlowSchemaStatus: Whether a schema makes sense.
 conditions: Dangling.
FlowSchemaCondition: A statement about a flow schema.
PriorityLevelConfiguration: How many requests run at a time, and what happens to others.
 spec: Its settings.
 status: What holds for it.
PriorityLevelConfigurationSpec: Settings of a priority level.
 type: Limited or Exempt.
 limited: For Limited.
 exempt: For Exempt.
LimitedPriorityLevelConfiguration: How many requests run at a time.
 nominalConcurrencyShares: Its share of all that may run; 30.
 limitResponse: What happens to others.
 lendablePercent: How much of its share it lends; 0.
 borrowingLimitPercent: How much it may borrow, in percent of its share; without limit.
ExemptPriorityLevelConfiguration: A level without limits.
 nominalConcurrencyShares: Its share of all that may run; 0.
 lendablePercent: How much of its share it lends; 0.
LimitResponse: What happens to requests that cannot run.
 type: Queue or Reject.
 queuing: For Queue.
QueuingConfiguration: Queues of a priority level.
 queues: How many; 64.
 handSize: How many each flow may use; 8.
 queueLengthLimit: How many requests wait in each; 50.
PriorityLevelConfigurationStatus: What holds for a priority level.
 conditions: What holds for it at present.
PriorityLevelConfigurationCondition: A statement about a priority level.
`;
