//! The ways in: every stage, custom domain, load balancer and container, with the key that it asks for.

mod load_balancers;
mod rest_apis;
mod sample;

use std::collections::{BTreeMap, HashMap};

use local_aws_api::{AwsApi, Error};
use local_containers::Containers;
use local_gateway::Snapshot;
use serde::Serialize;

use load_balancers::Balancers;
pub use load_balancers::Samples;
pub use sample::Sample;

/// The tag by which an API or a load balancer says which architecture it is the front of. Terraform sets it.
const ARCHITECTURE: &str = "Architecture";

/// The header of keys: API Gateway's, and that of containers.
const API_KEY: &str = "x-api-key";

/// One way in. Its `url` and a path after it, with its headers, is a request that works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrontDoor {
    /// `lambda-prod`, `fargate-alb`. Unique.
    pub name: String,
    /// The tag `Architecture`, or the name of the API or load balancer that has no such tag.
    pub architecture: String,
    /// The stage of an API.
    pub stage: Option<String>,
    /// Without a slash at its end.
    pub url: String,
    /// The key, and the host name if the front door goes by one.
    pub headers: BTreeMap<String, String>,
    /// A request that it takes, if its definition says so.
    #[serde(skip)]
    pub sample: Option<Sample>,
    /// The API passes its callers' `x-api-key` on to a service behind it, whose key that is.
    #[serde(skip)]
    pub passes_key_on: bool,
    #[serde(skip)]
    pub place: Place,
}

/// What the front door leads to, as the request log knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Of a REST API, by its id.
    Stage { api: String, stage: String },
    /// By the load balancer's name and the listener's port.
    Listener { load_balancer: String, port: u16 },
    /// A container, which keeps no list of its requests.
    Container,
}

impl FrontDoor {
    /// A command line that sends the sample.
    pub fn curl(&self) -> String {
        let sample = self.sample.clone().unwrap_or_default();
        let mut words = vec!["curl".to_owned()];
        if sample.method != "GET" {
            words.push(format!("-X {}", sample.method));
        }
        words.push(quoted(&format!("{}{}", self.url, sample.path)));
        words.extend(self.headers.iter().map(|(name, value)| format!("-H {}", quoted(&format!("{name}: {value}")))));
        if let Some(body) = &sample.body {
            words.push(format!("-H {}", quoted("content-type: application/json")));
            words.push(format!("-d {}", quoted(body)));
        }
        words.join(" ")
    }
}

/// Gives each front door a name of its own: the second of a name is called `name-2`.
fn with_unique_names(front_doors: impl Iterator<Item = FrontDoor>) -> Vec<FrontDoor> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    let unique = |mut front_door: FrontDoor| {
        let count = taken.entry(front_door.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            front_door.name = format!("{}-{count}", front_door.name);
        }
        front_door
    };
    front_doors.map(unique).collect()
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/:._-".contains(&byte)) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Headers that front doors ask for and the account does not tell, by architecture. Of a token it has the hash alone.
pub type Headers = HashMap<String, BTreeMap<String, String>>;

/// What the account says about front doors.
#[derive(Debug)]
pub struct Account {
    rest_apis: Vec<FrontDoor>,
    balancers: Balancers,
}

/// Reads what front doors there are, beside what the parts have read. `gateway`: the front port's address.
///
/// # Errors
/// When the control plane does not answer.
pub async fn read(api: &AwsApi, gateway: &str, deployed: &Snapshot, containers: &Containers) -> Result<Account, Error> {
    Ok(Account {
        rest_apis: rest_apis::front_doors(api, deployed, gateway).await?,
        balancers: load_balancers::read(api, containers.deployed()).await?,
    })
}

impl Account {
    /// All of them as they are now, each with a name of its own, and with the `headers` of its architecture.
    pub async fn front_doors(&self, containers: &Containers, samples: &Samples, headers: &Headers) -> Vec<FrontDoor> {
        samples.read(&self.balancers, containers).await;
        let of_containers = self.balancers.front_doors(containers, samples);
        let key = of_containers.iter().find_map(|front_door| front_door.headers.get(API_KEY)).cloned();
        let mut front_doors = with_unique_names(self.rest_apis.iter().cloned().chain(of_containers));
        for front_door in &mut front_doors {
            if let (true, Some(key)) = (front_door.passes_key_on, &key) {
                front_door.headers.entry(API_KEY.into()).or_insert_with(|| key.clone());
            }
            front_door.headers.extend(headers.get(&front_door.architecture).cloned().unwrap_or_default());
        }
        front_doors
    }
}
