//! `infra/template.yaml` as CloudFormation reads it for one stage, names instead of intrinsics.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// What a deployment says, beyond the defaults.
const PARAMETERS: [(&str, &str); 4] = [
    ("Stage", "try"),
    ("ShopName", "Grove"),
    ("MailFrom", "grove@example.com"),
    ("MailDomain", "example.com"),
];

/// A stage's template.
pub(crate) struct Template(Value);

/// One function of it.
pub(crate) struct DeployedFunction<'a> {
    /// Its logical id.
    pub(crate) id: &'a str,
    /// The folder in `functions/` that it is built from.
    pub(crate) folder: &'a str,
    /// Its properties.
    pub(crate) properties: &'a Value,
}

impl Template {
    pub(crate) fn read() -> Self {
        let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
        let documents = Yaml::load_from_str(&text).unwrap();
        let whole = yaml_to_json(&documents[0]);
        let resolved = resolved(&whole["Resources"], &whole);
        Self(json!({ "Globals": resolve(&whole["Globals"], &whole), "Resources": resolved }))
    }

    pub(crate) fn globals(&self) -> &Value {
        &self.0["Globals"]["Function"]
    }

    /// A resource's properties by its logical id.
    pub(crate) fn properties(&self, id: &str) -> &Value {
        let properties = &self.0["Resources"][id]["Properties"];
        assert!(properties.is_object(), "there is no resource `{id}`");
        properties
    }

    /// The properties of every resource of a type.
    pub(crate) fn of_type(&self, kind: &str) -> Vec<&Value> {
        let resources = self.0["Resources"].as_object().unwrap().values();
        let of_type = resources.filter(|resource| resource["Type"] == kind);
        of_type.map(|resource| &resource["Properties"]).collect()
    }

    pub(crate) fn functions(&self) -> Vec<DeployedFunction<'_>> {
        let resources = self.0["Resources"].as_object().unwrap().iter();
        resources
            .filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function")
            .map(|(id, resource)| {
                let is = &resource["Properties"];
                let code = is["CodeUri"].as_str().unwrap();
                let folder = code.strip_prefix("../target/lambda/").unwrap();
                DeployedFunction {
                    id,
                    folder: folder.trim_end_matches('/'),
                    properties: is,
                }
            })
            .collect()
    }

    /// Events of one kind, with the function that they call.
    pub(crate) fn events(&self, kind: &str) -> Vec<(DeployedFunction<'_>, &Value)> {
        let mut found = Vec::new();
        for function in self.functions() {
            let events = function.properties["Events"].as_object().unwrap().values();
            let of_kind = events.filter(|event| event["Type"] == kind);
            for event in of_kind {
                let DeployedFunction {
                    id,
                    folder,
                    properties: is,
                } = function;
                found.push((
                    DeployedFunction {
                        id,
                        folder,
                        properties: is,
                    },
                    &event["Properties"],
                ));
            }
        }
        assert!(!found.is_empty(), "no function is called by {kind}");
        found
    }

    /// What a function's role may do.
    pub(crate) fn statements(&self, function: &DeployedFunction<'_>) -> Vec<Value> {
        let role = function.properties["Role"].as_str().unwrap();
        let role = self.properties(role.strip_suffix(".Arn").unwrap());
        let policies = role["Policies"].as_array().unwrap().iter();
        policies
            .flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap())
            .cloned()
            .collect()
    }
}

/// A list, also where the template has a single text.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().map(|value| value.as_str().unwrap()).collect(),
        one => vec![one.as_str().unwrap()],
    }
}

pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.to_path_buf()
}

/// YAML as JSON, each short intrinsic in its long form.
fn yaml_to_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::String(text)) => text.as_ref().into(),
        Yaml::Value(Scalar::Integer(number)) => (*number).into(),
        Yaml::Value(Scalar::Boolean(truth)) => (*truth).into(),
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Sequence(values) => values.iter().map(yaml_to_json).collect(),
        Yaml::Mapping(fields) => {
            let fields = fields.iter();
            let named =
                fields.map(|(name, value)| (name.as_str().unwrap().into(), yaml_to_json(value)));
            Value::Object(named.collect())
        }
        Yaml::Tagged(tag, value) => {
            let name = match tag.suffix.as_str() {
                "Ref" => "Ref".to_owned(),
                other => format!("Fn::{other}"),
            };
            json!({ name: yaml_to_json(value) })
        }
        other => panic!("this is not expected in a template: {other:?}"),
    }
}

fn resolved(resources: &Value, whole: &Value) -> Value {
    let resources = resources.as_object().unwrap().iter();
    let resources = resources.map(|(id, resource)| (id.clone(), resolve(resource, whole)));
    Value::Object(resources.collect::<Map<_, _>>())
}

fn resolve(value: &Value, whole: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(|value| resolve(value, whole)).collect(),
        Value::Object(fields) => match fields.iter().next() {
            Some((name, of)) if name == "Ref" => reference(of.as_str().unwrap(), whole).into(),
            Some((name, of)) if name == "Fn::GetAtt" => of.clone(),
            Some((name, of)) if name == "Fn::Sub" => {
                substituted(of.as_str().unwrap(), whole).into()
            }
            Some((name, of)) if name == "Fn::Join" => {
                let joined = resolve(&of[1], whole);
                texts(&joined).join(of[0].as_str().unwrap()).into()
            }
            // Every condition on a property is one that a full deployment meets.
            Some((name, of)) if name == "Fn::If" => resolve(&of[1], whole),
            _ => {
                let fields = fields.iter();
                let fields = fields.map(|(name, value)| (name.clone(), resolve(value, whole)));
                Value::Object(fields.collect())
            }
        },
        plain => plain.clone(),
    }
}

/// What `Ref` gives: a parameter's value, or a resource's name.
fn reference(name: &str, whole: &Value) -> String {
    let parameter = &whole["Parameters"][name];
    if let Some((_, answer)) = PARAMETERS.iter().find(|(known, _)| *known == name) {
        return (*answer).to_owned();
    }
    match &parameter["Default"] {
        Value::Null => {}
        Value::String(text) => return text.clone(),
        other => return other.to_string(),
    }
    let pseudo = [
        ("AWS::Partition", "aws"),
        ("AWS::Region", "eu-west-3"),
        ("AWS::AccountId", "000000000000"),
    ];
    if let Some((_, value)) = pseudo.iter().find(|(known, _)| *known == name) {
        return (*value).to_owned();
    }
    let resource = &whole["Resources"][name];
    assert!(resource.is_object(), "`{name}` is neither set nor made");
    name.to_owned()
}

/// What `Sub` gives.
fn substituted(text: &str, whole: &Value) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').unwrap();
        filled.push_str(before);
        match name.split_once('.') {
            Some(_) => filled.push_str(name),
            None => filled.push_str(&reference(name, whole)),
        }
        rest = after;
    }
    filled + rest
}
