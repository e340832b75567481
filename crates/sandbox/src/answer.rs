//! Who answers a request: each service is handed its own state, and that of the others that it asks or changes.

use crate::call::{Call, is_mutating, protocol};
use crate::random::{Mood, Random};
use crate::wire::{self, Fault, Protocol, Reply, Response};
use crate::world::{Entry, Global, Region, World};
use crate::{
    authorize, cloudformation, cloudtrail, cloudwatch, comprehend, ec2, iam, kms, logs, pricing, rds, s3,
    sagemaker, secretsmanager, servicequotas, sts, tagging,
};

/// Requests remembered in [`World::log`]; older ones are dropped.
const LOG_MAX: usize = 20_000;

impl World {
    /// Carries one call out and writes it into the log.
    pub(crate) fn answer(&mut self, call: &Call) -> Response {
        self.now = call.now;
        let region = self.regions.entry(call.region.clone()).or_default();
        // What CloudFormation has been doing since the last request, each thing at its own time.
        if region.cloudformation.is_busy() {
            let mut stacks = std::mem::take(&mut region.cloudformation);
            stacks.pass(&call.region, call.now, &mut Account { global: &mut self.global, region });
            region.cloudformation = stacks;
        }
        // Other services ask EC2 about subnets and groups without telling it the time.
        region.ec2.settle(call.now);
        // What jobs leave in S3 is there for whoever looks, and no part of what a refusal takes back.
        sagemaker::settle_jobs(call, &mut region.sagemaker, &self.global.iam, &mut self.global.s3);
        if !self.bare {
            region.ec2.furnish(&call.region);
        }
        // What a refusal for a member that nobody has read takes back.
        // The Data API refuses such members before it carries anything out.
        let before = (is_mutating(call) && call.service != "rds-data")
            .then(|| (region.clone(), self.global.iam.clone(), self.global.global_databases.clone()));
        // Who looks at a request to judge it has not read it for the operation.
        self.allowed.clear();
        let allowed = authorize::check(&call.unread_copy(), &self.enforced, &self.global, region);
        let mut reply = allowed.and_then(|allowed| {
            self.allowed = allowed;
            dispatch(call, &mut self.global, region)
        });
        if reply.is_ok()
            && call.service != "s3"
            && let Some(member) = call.unread()
        {
            reply = Err(call.unmodelled(member));
            if let Some((before, iam, globals)) = before {
                *region = before;
                self.global.iam = iam;
                self.global.global_databases = globals;
            }
        }
        if is_mutating(call) {
            let who = self.global.iam.session_arn(&call.caller);
            region.cloudtrail.record(call, who, &reply, &self.global.random);
        }
        if reply.is_ok() && is_mutating(call) {
            if call.service == "sagemaker" {
                region.logs.follow(&call.unread_copy());
            }
            if region.tagging.is_kept() {
                let there = tagging::there(&call.region, region, &self.global);
                region.tagging.note(there, call.now);
            }
        }
        self.took_ms = std::mem::take(&mut region.rds.took_ms);
        for order in self.global.global_databases.take_orders() {
            self.regions.entry(order.region.clone()).or_default().rds.obey(order);
        }
        let code = reply.as_ref().err().map(|fault| fault.code.clone());
        if let Some("InvalidAction" | "UnknownOperationException" | "NotImplemented") = code.as_deref() {
            *self.unknown.entry(format!("{}:{}", call.service, call.operation)).or_default() += 1;
        }
        if self.log.len() >= LOG_MAX {
            self.log.drain(..LOG_MAX / 10);
        }
        self.log.push(Entry {
            at: call.now,
            region: call.region.clone(),
            service: call.service.clone(),
            operation: call.operation.clone(),
            mutating: is_mutating(call),
            code,
            caller: call.caller.clone(),
        });
        let request_id = format!("{:08x}-sandbox", self.log.len());
        respond(call, &request_id, reply)
    }
}

/// The services of one region as CloudFormation reaches them: it sends requests like anybody else.
struct Account<'a> {
    global: &'a mut Global,
    region: &'a mut Region,
}

impl cloudformation::Services for Account<'_> {
    fn call(&mut self, call: &Call) -> Reply {
        self.region.ec2.settle(call.now);
        sagemaker::settle_jobs(call, &mut self.region.sagemaker, &self.global.iam, &mut self.global.s3);
        let before = is_mutating(call).then(|| (self.region.clone(), self.global.clone()));
        let mut reply = dispatch(call, self.global, self.region);
        if reply.is_ok()
            && call.service != "s3"
            && let Some(member) = call.unread()
        {
            reply = Err(call.unmodelled(member));
        }
        if reply.is_err()
            && let Some((region, global)) = before
        {
            (*self.region, *self.global) = (region, global);
        }
        if reply.is_ok() && is_mutating(call) {
            if call.service == "sagemaker" {
                self.region.logs.follow(&call.unread_copy());
            }
            if self.region.tagging.is_kept() {
                let there = tagging::there(&call.region, self.region, self.global);
                self.region.tagging.note(there, call.now);
            }
        }
        reply
    }

    fn mark(&mut self, region: &str, service: &str, id: &str, tags: &[(String, String)]) {
        match service {
            "ec2" => self.region.ec2.mark(id, tags),
            "rds" => self.region.rds.mark(id, tags),
            "s3" => {
                if let Some(bucket) =
                    self.global.s3.buckets.get_mut(id).filter(|bucket| bucket.region == region)
                {
                    bucket.tags.extend(tags.iter().cloned());
                }
            }
            "kms" => self.region.kms.mark(id, tags),
            "monitoring" => self.region.cloudwatch.mark(id, tags),
            "secretsmanager" => self.region.secretsmanager.mark(id, tags),
            "iam" => self.global.iam.mark(id, tags),
            "sagemaker" => {
                let kept = self.region.sagemaker.tags.entry(id.to_string()).or_default();
                kept.extend(tags.iter().cloned());
            }
            _ => {}
        }
    }

    fn random(&mut self) -> &mut Random {
        &mut self.global.random
    }

    fn stacks(&mut self) -> &mut cloudformation::CloudFormation {
        &mut self.region.cloudformation
    }
}

/// Hands the call to its service.
fn dispatch(call: &Call, global: &mut Global, region: &mut Region) -> Reply {
    if call.service == "tagging" {
        // It asks all services.
        let Region { ec2, rds, secretsmanager: secrets, kms, .. } = &mut *region;
        let Global { random, iam, global_databases: globals, .. } = &mut *global;
        rds::settle(call, rds::Reach { rds, ec2, iam, secrets, kms, random, globals });
        let there = tagging::there(&call.region, region, global);
        return tagging::handle(call, &mut region.tagging, there);
    }
    if call.service == "cloudformation" {
        // It asks all services, too.
        let mut stacks = std::mem::take(&mut region.cloudformation);
        let reply = cloudformation::handle(call, &mut stacks, &mut Account { global, region });
        // A small stack of an instant world is there when the answer is.
        if stacks.is_busy() && global.random.mood == Mood::Instant {
            stacks.pass(&call.region, call.now, &mut Account { global, region });
        }
        region.cloudformation = stacks;
        return reply;
    }
    let Region {
        cloudtrail,
        cloudwatch,
        ec2,
        rds,
        sagemaker,
        secretsmanager: secrets,
        kms,
        servicequotas,
        logs,
        ..
    } = region;
    let Global { random, iam, s3, global_databases: globals } = global;
    match call.service.as_str() {
        "cloudtrail" => cloudtrail::handle(call, cloudtrail),
        "ec2" => ec2::handle(call, ec2, random),
        "iam" => iam::handle(call, iam, random),
        "kms" => kms::handle(call, kms, random),
        "rds" => rds::handle(call, rds::Reach { rds, ec2, iam, secrets, kms, random, globals }),
        "rds-data" => rds::handle_data(
            call,
            rds::Reach { rds, ec2, iam, secrets, kms, random, globals },
            rds::Beyond { s3, sagemaker },
        ),
        "comprehend" => comprehend::handle(call),
        "pricing" => pricing::handle(call),
        "s3" => s3::handle(call, s3, random),
        "sagemaker" => sagemaker::handle(call, sagemaker::Reach { sagemaker, ec2, iam, s3, random }),
        "sagemaker-runtime" => {
            sagemaker::handle_runtime(call, sagemaker::Reach { sagemaker, ec2, iam, s3, random })
        }
        "secretsmanager" => {
            // RDS rotates and deletes secrets of its own as time passes.
            rds::settle(call, rds::Reach { rds, ec2, iam, secrets, kms, random, globals });
            secretsmanager::handle(call, secrets, kms, random)
        }
        "logs" => logs::handle(call, logs),
        "monitoring" => cloudwatch::handle(call, cloudwatch),
        "servicequotas" => servicequotas::handle(call, servicequotas),
        "sts" => sts::handle(call, iam, random),
        // Neither a signature nor a presigned address: AWS refuses before it looks at anything else.
        "" => Err(match protocol(call) {
            Protocol::RestXml => Fault::new(403, "AccessDenied", "Access Denied"),
            _ => Fault::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        }),
        _ => Err(call.unknown()),
    }
}

/// The answer on the wire, with the headers that AWS adds to every answer.
pub(crate) fn respond(call: &Call, request_id: &str, reply: Reply) -> Response {
    let code = reply.as_ref().err().map(|fault| fault.code.clone());
    let mut response = wire::respond(protocol(call), &call.operation, request_id, reply);
    // Who speaks version 1.0 of the JSON protocol is answered in it.
    let asked =
        call.request.header("content-type").filter(|kind| kind.starts_with("application/x-amz-json-"));
    if let (Protocol::Json, Some(asked)) = (protocol(call), asked) {
        let own = response.headers.iter_mut().filter(|(name, _)| name == "content-type");
        own.for_each(|(_, value)| *value = asked.to_string());
    }
    // "AWS query-compatible services" of Smithy: who asks for it is told the code that the query protocol had.
    if let (Some(code), Some("true")) = (code, call.request.header("x-amzn-query-mode")) {
        let whose = if response.status < 500 { "Sender" } else { "Receiver" };
        response.headers.push(("x-amzn-query-error".into(), format!("{code};{whose}")));
    }
    let name = match protocol(call) {
        Protocol::RestXml => "x-amz-request-id",
        _ => "x-amzn-RequestId",
    };
    response.headers.push((name.into(), request_id.into()));
    if protocol(call) == Protocol::RestXml {
        // S3 says what time it is (API Reference, "Common response headers").
        response.headers.push(("date".into(), s3::http_date(call.now)));
    }
    if call.request.method == "HEAD" {
        response.body.clear();
    }
    response
}
