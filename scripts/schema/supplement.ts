import type { GroupFacts } from "./fact.ts";
import { readFacts } from "./facts-text.ts";

// Debian trixie has no package with these declarations at 1.32; the facts stand here instead.

const API_EXTENSIONS = `
struct CustomResourceDefinition root cluster
 metadata meta/v1.ObjectMeta #1
 spec CustomResourceDefinitionSpec ! + #2
 status CustomResourceDefinitionStatus #3
struct CustomResourceDefinitionList root
 metadata meta/v1.ListMeta #1
 items []CustomResourceDefinition ! + #2
struct CustomResourceDefinitionSpec
 group string ! + #1
 names CustomResourceDefinitionNames ! + #3
 scope string ! + #4
 versions []CustomResourceDefinitionVersion ! + #7 =atomic
 conversion CustomResourceConversion * #9
 preserveUnknownFields boolean #10
struct CustomResourceConversion
 strategy string ! + #1
 webhook WebhookConversion * #2
struct WebhookConversion
 clientConfig WebhookClientConfig * #2
 conversionReviewVersions []string ! + #3 =atomic
struct WebhookClientConfig
 url string * #3
 service ServiceReference * #1
 caBundle bytes #2
struct ServiceReference
 namespace string ! + #1
 name string ! + #2
 path string * #3
 port int32 * #4
struct CustomResourceDefinitionVersion
 name string ! + #1
 served boolean ! + #2
 storage boolean ! + #3
 deprecated boolean #7
 deprecationWarning string * #8
 schema CustomResourceValidation * #4
 subresources CustomResourceSubresources * #5
 additionalPrinterColumns []CustomResourceColumnDefinition #6 =atomic
 selectableFields []SelectableField #9 =atomic
struct SelectableField
 jsonPath string ! + #1
struct CustomResourceColumnDefinition
 name string ! + #1
 type string ! + #2
 format string #3
 description string #4
 priority int32 #5
 jsonPath string ! + #6
struct CustomResourceDefinitionNames
 plural string ! + #1
 singular string #2
 shortNames []string #3 =atomic
 kind string ! + #4
 listKind string #5
 categories []string #6 =atomic
struct CustomResourceDefinitionCondition
 type string ! + #1
 status string ! + #2
 lastTransitionTime time #3
 reason string #4
 message string #5
struct CustomResourceDefinitionStatus
 conditions []CustomResourceDefinitionCondition + #1 =map:type
 acceptedNames CustomResourceDefinitionNames + #2
 storedVersions []string + #3 =atomic
struct CustomResourceValidation
 openAPIV3Schema JSONSchemaProps * #1
struct CustomResourceSubresources
 status CustomResourceSubresourceStatus * #1
 scale CustomResourceSubresourceScale * #2
struct CustomResourceSubresourceStatus
struct CustomResourceSubresourceScale
 specReplicasPath string ! + #1
 statusReplicasPath string ! + #2
 labelSelectorPath string * #3
struct ConversionReview root
 request ConversionRequest * #1
 response ConversionResponse * #2
struct ConversionRequest
 uid string ! + #1
 desiredAPIVersion string ! + #2
 objects []any ! + #3 =atomic
struct ConversionResponse
 uid string ! + #1
 convertedObjects []any ! + #2 =atomic
 result meta/v1.Status ! + #3
struct JSONSchemaProps
 id string #1
 $schema string #2
 $ref string * #3
 description string #4
 type string #5
 format string #6
 title string #7
 default any * #8
 maximum float64 * #9
 exclusiveMaximum boolean #10
 minimum float64 * #11
 exclusiveMinimum boolean #12
 maxLength int64 * #13
 minLength int64 * #14
 pattern string #15
 maxItems int64 * #16
 minItems int64 * #17
 uniqueItems boolean #18
 multipleOf float64 * #19
 enum []any #20 =atomic
 maxProperties int64 * #21
 minProperties int64 * #22
 required []string #23 =atomic
 items any * #24
 allOf []JSONSchemaProps #25 =atomic
 oneOf []JSONSchemaProps #26 =atomic
 anyOf []JSONSchemaProps #27 =atomic
 not JSONSchemaProps * #28
 properties {}JSONSchemaProps #29
 additionalProperties any * #30
 patternProperties {}JSONSchemaProps #31
 dependencies {}any #32
 additionalItems any * #33
 definitions {}JSONSchemaProps #34
 externalDocs ExternalDocumentation * #35
 example any * #36
 nullable boolean #37
 x-kubernetes-preserve-unknown-fields boolean * #38
 x-kubernetes-embedded-resource boolean #39
 x-kubernetes-int-or-string boolean #40
 x-kubernetes-list-map-keys []string #41 =atomic
 x-kubernetes-list-type string * #42
 x-kubernetes-map-type string * #43
 x-kubernetes-validations []ValidationRule #44 =map:rule ~merge:rule
struct ValidationRule
 rule string ! + #1
 message string #2
 messageExpression string #3
 reason string * #4
 fieldPath string #5
 optionalOldSelf boolean * #6
struct ExternalDocumentation
 description string #1
 url string #2
`;

const API_REGISTRATION = `
struct APIService root cluster
 metadata meta/v1.ObjectMeta #1
 spec APIServiceSpec #2
 status APIServiceStatus #3
struct APIServiceList root
 metadata meta/v1.ListMeta #1
 items []APIService ! + #2
struct APIServiceSpec
 service ServiceReference * #1
 group string #2
 version string #3
 insecureSkipTLSVerify boolean #4
 caBundle bytes #5 =atomic
 groupPriorityMinimum int32 ! + #7
 versionPriority int32 ! + #8
struct APIServiceStatus
 conditions []APIServiceCondition #1 =map:type ~merge:type
struct APIServiceCondition
 type string ! + #1
 status string ! + #2
 lastTransitionTime time #3
 reason string #4
 message string #5
struct ServiceReference
 namespace string #1
 name string #2
 port int32 * #3
`;

const METRICS = `
struct NodeMetrics root cluster
 metadata meta/v1.ObjectMeta #1
 timestamp time + #2
 window duration + #3
 usage {}quantity + #4
struct NodeMetricsList root
 metadata meta/v1.ListMeta #1
 items []NodeMetrics ! + #2
struct PodMetrics root namespaced
 metadata meta/v1.ObjectMeta #1
 timestamp time + #2
 window duration + #3
 containers []ContainerMetrics + #4 ~merge:name
struct PodMetricsList root
 metadata meta/v1.ListMeta #1
 items []PodMetrics ! + #2
struct ContainerMetrics
 name string ! + #1
 usage {}quantity + #2
`;

// Served for older clients only: not a resource of its own.
const OLD_ENDPOINT_SLICES = `
struct EndpointSlice root
 metadata meta/v1.ObjectMeta #1
 addressType string ! + #4
 endpoints []Endpoint ! + #2 =atomic
 ports []EndpointPort + #3 =atomic
struct EndpointSliceList root
 metadata meta/v1.ListMeta #1
 items []EndpointSlice ! + #2
struct Endpoint
 addresses []string ! + #1 =set
 conditions EndpointConditions #2
 hostname string * #3
 targetRef core/v1.ObjectReference * #4
 topology {}string #5
 nodeName string * #6
 hints EndpointHints * #7
struct EndpointConditions
 ready boolean * #1
 serving boolean * #2
 terminating boolean * #3
struct EndpointHints
 forZones []ForZone #1 =atomic
struct ForZone
 name string ! + #1
struct EndpointPort
 name string * #1
 protocol core/v1.Protocol * #2
 port int32 * #3
 appProtocol string * #4
`;

/** Group-versions that no Go source within reach declares at this release. */
export const SUPPLEMENTS: readonly GroupFacts[] = [
  {
    short: "apiextensions",
    group: "apiextensions.k8s.io",
    version: "v1",
    ...readFacts(API_EXTENSIONS),
  },
  {
    short: "apiregistration",
    group: "apiregistration.k8s.io",
    version: "v1",
    ...readFacts(API_REGISTRATION),
  },
  {
    short: "discovery",
    group: "discovery.k8s.io",
    version: "v1beta1",
    ...readFacts(OLD_ENDPOINT_SLICES),
  },
  {
    short: "metrics",
    group: "metrics.k8s.io",
    version: "v1beta1",
    ...readFacts(METRICS),
  },
];
