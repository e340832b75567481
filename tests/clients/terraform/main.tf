# specs/churn.yaml as one would write it for Terraform: a second opinion on what a client asks and expects.
# Run by `cargo test --test it -- terraform`, against a sandbox of its own.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

# Where requests go, and with which key, is in the environment: AWS_ENDPOINT_URL and the usual others.
provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
  default_tags {
    tags = { project = "churn" }
  }
}

# What the second apply changes: a tag, a parameter, a description, a weight.
variable "owner" {
  type    = string
  default = "nobody"
}

variable "wait_timeout" {
  type    = string
  default = "600"
}

data "aws_caller_identity" "me" {}
data "aws_region" "here" {}

# A fresh account has one.
data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

locals {
  image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
}

# --- network

resource "aws_vpc" "churn" {
  cidr_block           = "10.192.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "churn", owner = var.owner }
}

resource "aws_subnet" "public" {
  vpc_id                  = aws_vpc.churn.id
  cidr_block              = "10.192.10.0/24"
  availability_zone       = "us-east-1a"
  map_public_ip_on_launch = true
}

resource "aws_subnet" "private" {
  for_each          = { a = "10.192.20.0/24", b = "10.192.21.0/24" }
  vpc_id            = aws_vpc.churn.id
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}

resource "aws_internet_gateway" "churn" {
  vpc_id = aws_vpc.churn.id
}

resource "aws_eip" "nat" {
  domain = "vpc"
}

resource "aws_nat_gateway" "churn" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public.id
  depends_on    = [aws_internet_gateway.churn]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.churn.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.churn.id
  }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.churn.id
}

resource "aws_route" "out" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.churn.id
}

resource "aws_route_table_association" "public" {
  subnet_id      = aws_subnet.public.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  for_each       = aws_subnet.private
  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.churn.id
  service_name    = "com.amazonaws.us-east-1.s3"
  route_table_ids = [aws_route_table.private.id]
}

resource "aws_security_group" "notebook" {
  name        = "churn-notebook"
  description = "The notebook"
  vpc_id      = aws_vpc.churn.id
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "database" {
  name        = "churn-database"
  description = "The database"
  vpc_id      = aws_vpc.churn.id
}

resource "aws_vpc_security_group_ingress_rule" "mysql" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = aws_security_group.notebook.id
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
  description                  = "MySQL for ${var.owner}"
}

resource "aws_vpc_security_group_egress_rule" "database" {
  security_group_id = aws_security_group.database.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

# --- bucket

resource "aws_s3_bucket" "churn" {
  bucket        = "churn-sagemaker-${data.aws_caller_identity.me.account_id}-${data.aws_region.here.name}"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "churn" {
  bucket                  = aws_s3_bucket.churn.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_object" "model" {
  bucket  = aws_s3_bucket.churn.id
  key     = "models/churn/model.tar.gz"
  content = "not really a model"
}

# The provider compares the tag with the MD5 of what it sent.
check "entity_tag" {
  assert {
    condition     = aws_s3_object.model.etag == md5("not really a model")
    error_message = "the entity tag is not the MD5"
  }
}

# --- roles

data "aws_iam_policy_document" "assume" {
  for_each = toset(["rds", "sagemaker", "monitoring.rds"])
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "aurora" {
  for_each           = toset(["sagemaker", "comprehend", "s3"])
  name               = "churn-aurora-${each.key}"
  path               = "/churn/"
  assume_role_policy = data.aws_iam_policy_document.assume["rds"].json
}

resource "aws_iam_role_policy" "aurora" {
  for_each = {
    sagemaker  = "sagemaker:InvokeEndpoint"
    comprehend = "comprehend:DetectSentiment"
    s3         = "s3:GetObject"
  }
  name = "access"
  role = aws_iam_role.aurora[each.key].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = each.value, Resource = "*" }]
  })
}

resource "aws_iam_role" "notebook" {
  name               = "churn-notebook"
  assume_role_policy = data.aws_iam_policy_document.assume["sagemaker"].json
}

resource "aws_iam_role_policy_attachment" "notebook" {
  role       = aws_iam_role.notebook.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
}

resource "aws_iam_role" "monitoring" {
  name               = "churn-monitoring"
  assume_role_policy = data.aws_iam_policy_document.assume["monitoring.rds"].json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# --- database

resource "aws_secretsmanager_secret" "database" {
  name                    = "churn/database"
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id     = aws_secretsmanager_secret.database.id
  secret_string = jsonencode({ username = "admin", password = "simulated-and-nobodys" })
}

resource "aws_db_subnet_group" "churn" {
  name       = "churn"
  subnet_ids = [for subnet in aws_subnet.private : subnet.id]
}

resource "aws_rds_cluster_parameter_group" "churn" {
  name   = "churn"
  family = "aurora-mysql8.0"
  # `immediate` is the provider's default, and it expects to read that back.
  parameter {
    name  = "wait_timeout"
    value = var.wait_timeout
  }
  dynamic "parameter" {
    for_each = aws_iam_role.aurora
    content {
      name         = { sagemaker = "aws_default_sagemaker_role", comprehend = "aws_default_comprehend_role", s3 = "aws_default_s3_role" }[parameter.key]
      value        = parameter.value.arn
      apply_method = "pending-reboot"
    }
  }
}

resource "aws_rds_cluster" "churn" {
  cluster_identifier              = "churn"
  engine                          = "aurora-mysql"
  engine_version                  = "8.0.mysql_aurora.3.10.3"
  database_name                   = "telecom_customer_churn"
  master_username                 = "admin"
  master_password                 = jsondecode(aws_secretsmanager_secret_version.database.secret_string)["password"]
  db_subnet_group_name            = aws_db_subnet_group.churn.name
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.churn.name
  vpc_security_group_ids          = [aws_security_group.database.id]
  enable_http_endpoint            = true
  storage_encrypted               = true
  backup_retention_period         = 1
  enable_local_write_forwarding   = true
  skip_final_snapshot             = true
  apply_immediately               = true
}

resource "aws_rds_cluster_role_association" "churn" {
  for_each              = { sagemaker = "SageMaker", comprehend = "Comprehend", s3 = "s3Import" }
  db_cluster_identifier = aws_rds_cluster.churn.id
  feature_name          = ""
  role_arn              = aws_iam_role.aurora[each.key].arn
}

resource "aws_rds_cluster_instance" "churn" {
  count                                 = 2
  identifier                            = "churn-${count.index + 1}"
  cluster_identifier                    = aws_rds_cluster.churn.id
  engine                                = "aurora-mysql"
  instance_class                        = "db.r6g.large"
  ca_cert_identifier                    = "rds-ca-ecc384-g1"
  monitoring_interval                   = 30
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  performance_insights_enabled          = true
  performance_insights_retention_period = 731
  depends_on                            = [aws_iam_role_policy_attachment.monitoring]
}

# --- SageMaker

resource "aws_sagemaker_model" "churn" {
  name               = "churn"
  execution_role_arn = aws_iam_role.notebook.arn
  primary_container {
    image          = local.image
    model_data_url = "s3://${aws_s3_object.model.bucket}/${aws_s3_object.model.key}"
  }
}

resource "aws_sagemaker_endpoint_configuration" "churn" {
  name = "churn"
  production_variants {
    variant_name           = "all"
    model_name             = aws_sagemaker_model.churn.name
    instance_type          = "ml.m5.large"
    initial_instance_count = 1
    initial_variant_weight = 1
  }
}

resource "aws_sagemaker_endpoint" "churn" {
  name                 = "churn"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.churn.name
  tags                 = { owner = var.owner }
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "churn" {
  name     = "churn"
  on_start = base64encode("#!/bin/sh\necho hello\n")
}

resource "aws_sagemaker_notebook_instance" "churn" {
  name                  = "churn"
  role_arn              = aws_iam_role.notebook.arn
  instance_type         = "ml.t3.medium"
  subnet_id             = aws_subnet.private["a"].id
  security_groups       = [aws_security_group.notebook.id]
  lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.churn.name
  tags                  = { owner = var.owner }
}

output "default_subnets" {
  value = length(data.aws_subnets.default.ids)
}
