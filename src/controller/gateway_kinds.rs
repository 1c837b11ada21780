//! The planner's view of the Gateway API as kinds that can be watched.

use std::borrow::Cow;

use k8s_openapi::{NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::Resource;

use crate::plan::{GATEWAY_API, Gateway, HttpRoute, ReferenceGrant};

macro_rules! kind {
    ($type:ty, $kind:literal, $version:literal, $plural:literal) => {
        impl Resource for $type {
            type DynamicType = ();
            type Scope = NamespaceResourceScope;

            fn kind((): &()) -> Cow<'_, str> {
                $kind.into()
            }

            fn group((): &()) -> Cow<'_, str> {
                GATEWAY_API.into()
            }

            fn version((): &()) -> Cow<'_, str> {
                $version.into()
            }

            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

kind!(HttpRoute, "HTTPRoute", "v1", "httproutes");
kind!(Gateway, "Gateway", "v1", "gateways");
kind!(ReferenceGrant, "ReferenceGrant", "v1beta1", "referencegrants");
