//! Templates under `stacks`, as far as they can be judged without CloudFormation.

use super::fixtures::{Situation, pair};
use auroraml_core::model::Code;

const GOOD: &str = "Parameters:
  Range: { Type: String, Default: 10.0.0.0/16 }
Resources:
  Vpc: { Type: AWS::EC2::VPC, Properties: { CidrBlock: !Ref Range } }
Outputs:
  Id: { Value: !Ref Vpc }
";

/// A spec with these stacks, whose templates all have this text.
fn templates(text: &str, stacks: &str) -> Situation {
    let situation = Situation::new(&format!("stack: shop\nregion: us-east-1\n{stacks}"));
    Situation { files: Some(text.into()), ..situation }
}

const ONE: &str = "stacks: { net: { template: net.yaml } }\n";

#[tokio::test(start_paused = true)]
async fn what_a_template_is() {
    let missing = Situation { files: None, ..templates(GOOD, ONE) };
    pair(Code::TemplateUnreadable, missing, templates(GOOD, ONE)).await;
    let broken = GOOD.replace("Value: !Ref Vpc }", "Value: !Ref Vcp }");
    pair(Code::TemplateInvalid, templates(&broken, ONE), templates(GOOD, ONE)).await;
    let large = format!("{GOOD}# {}\n", "x".repeat(51_200));
    let with_bucket = format!("bucket: {{}}\n{ONE}");
    pair(Code::TemplateSize, templates(&large, ONE), templates(&large, &with_bucket)).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_template_is_given() {
    let asking = GOOD.replace(", Default: 10.0.0.0/16", "");
    let given = "stacks: { net: { template: net.yaml, parameters: { Range: 10.1.0.0/16 } } }\n";
    pair(Code::TemplateParameter, templates(&asking, ONE), templates(&asking, given)).await;
    let role = "  Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {} } }\nOutputs:";
    let role = GOOD.replace("Outputs:", role);
    let said = "stacks: { net: { template: net.yaml, capabilities: [CAPABILITY_IAM] } }\n";
    pair(Code::TemplateCapability, templates(&role, ONE), templates(&role, said)).await;
}

#[tokio::test(start_paused = true)]
async fn what_templates_have_of_each_other() {
    let two = |net: &str, app: &str| {
        let parameters =
            |range: &str| format!("{{ template: net.yaml, parameters: {{ Range: \"{range}\" }} }}");
        templates(GOOD, &format!("stacks:\n  net: {}\n  app: {}\n", parameters(net), parameters(app)))
    };
    let good = || two("10.0.0.0/16", "${stacks.net.Id}");
    pair(Code::TemplateOutput, two("10.0.0.0/16", "${stacks.net.Vpc}"), good()).await;
    pair(Code::TemplateCycle, two("${stacks.app.Id}", "${stacks.net.Id}"), good()).await;
}
