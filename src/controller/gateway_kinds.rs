//! The planner's view of the Gateway API as kinds that can be watched.

use super::kinds::kind;
use crate::plan::{GATEWAY_API, Gateway, HttpRoute, ReferenceGrant};

kind!(HttpRoute, GATEWAY_API, "v1", "HTTPRoute", "httproutes");
kind!(Gateway, GATEWAY_API, "v1", "Gateway", "gateways");
kind!(ReferenceGrant, GATEWAY_API, "v1beta1", "ReferenceGrant", "referencegrants");
