//! Why there is no plan, in the words of flags.

use chart_publisher::plan::PlanError;

/// What is said to who typed the command.
pub(super) fn unplanned(error: PlanError) -> String {
    match error {
        PlanError::InvalidUrl { url } => {
            format!("the address must be `oci://HOST[:PORT]/PREFIX`, without user name and query: \"{url}\" is not")
        }
        PlanError::InvalidHostname { hostname } => format!("`--hostname` must be `HOST` or `HOST:PORT`: \"{hostname}\" is not"),
        PlanError::NoService { service } => format!("Service \"{service}\" does not exist: create it, or correct `--service`"),
        PlanError::UnknownPort { service, port, ports } => {
            format!("Service \"{service}\" has no TCP port \"{port}\": it has {ports}; correct the port of `--service`")
        }
        PlanError::PortNotNamed { service, ports } => {
            format!("Service \"{service}\" has several TCP ports: {ports}; name the registry's: `--service NAMESPACE/NAME:PORT`")
        }
        PlanError::ExternalName { service, external } => format!(
            "Service \"{service}\" is of type ExternalName and stands for \"{external}\", outside of what the cluster routes: probe \
             `oci://` with that name instead"
        ),
        PlanError::NoEndpointByHand { service, port } => format!(
            "Service \"{service}\" has no selector and no EndpointSlice with a ready address for port {port}: give it a `selector`, or an \
             EndpointSlice with the label kubernetes.io/service-name, or probe the registry's own `oci://` address"
        ),
        PlanError::NoListedRoute { service, left_out } => format!("no route leads to Service \"{service}\": {left_out}"),
        PlanError::NoTarget | PlanError::NoEndpoint { .. } | PlanError::NoRoute { .. } => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_and_no_fields() {
        let word = || "word".to_owned();
        for (error, flag) in [
            (PlanError::InvalidUrl { url: word() }, "`oci://HOST[:PORT]/PREFIX`"),
            (PlanError::InvalidHostname { hostname: word() }, "`--hostname`"),
            (PlanError::NoService { service: word() }, "`--service`"),
            (PlanError::UnknownPort { service: word(), port: word(), ports: word() }, "`--service`"),
            (PlanError::PortNotNamed { service: word(), ports: word() }, "`--service NAMESPACE/NAME:PORT`"),
            (PlanError::ExternalName { service: word(), external: word() }, "`oci://`"),
            (PlanError::NoEndpointByHand { service: word(), port: word() }, "`oci://`"),
            (PlanError::NoListedRoute { service: word(), left_out: word() }, "word"),
        ] {
            let said = unplanned(error);
            assert!(said.contains(flag), "{said}");
            let field = ["`url`", "`hostname`", "`service.", "`service`", "`routes`"].into_iter().find(|field| said.contains(field));
            assert_eq!(field, None, "{said}");
        }
    }
}
